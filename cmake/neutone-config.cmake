# The CMake package of neutone_sdk, which lies in the Python package: find_package(neutone CONFIG [COMPONENTS ...]).
#
# neutone::dsp     filters, resampler, rings, parameters; C++20 and the standard library
# neutone::engine  plays a model on an audio thread that never waits for it; needs neutone::dsp and threads
# neutone::ops     the operators that .nm files call, a shared library: to lie beside what plays them, see below
# neutone::host    opens .nm files for neutone::engine; needs torch 2.10 or newer and nlohmann_json
#
# Without COMPONENTS, neutone::host is there if its needs are.
if(NOT neutone_FIND_COMPONENTS)
  set(neutone_FIND_COMPONENTS dsp engine ops host)
  set(neutone_FIND_REQUIRED_dsp ON)
  set(neutone_FIND_REQUIRED_engine ON)
endif()

find_package(Threads QUIET)
if(NOT Threads_FOUND)
  set(neutone_FOUND OFF)
  set(neutone_NOT_FOUND_MESSAGE "neutone needs threads, which this compiler does not find; enable the language CXX first.")
  return()
endif()
include("${CMAKE_CURRENT_LIST_DIR}/neutone-targets.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/neutone-operators.cmake")
set(neutone_dsp_FOUND ON)
set(neutone_engine_FOUND ON)
set(neutone_ops_FOUND OFF)
if(TARGET neutone::ops)
  set(neutone_ops_FOUND ON)
else()
  set(neutone_ops_problem "this package was built without the operators (NEUTONE_BUILD_OPS).")
endif()

if(host IN_LIST neutone_FIND_COMPONENTS)
  include("${CMAKE_CURRENT_LIST_DIR}/neutone-host.cmake")
  list(PREPEND CMAKE_MODULE_PATH "${CMAKE_CURRENT_LIST_DIR}")
  set(TorchStable_HINT "${CMAKE_CURRENT_LIST_DIR}/../../../../torch") # as pip installs them: side by side
  neutone_find_needs_of_host(neutone_host_problem)
  list(REMOVE_AT CMAKE_MODULE_PATH 0)
  unset(TorchStable_HINT)
  set(neutone_host_FOUND OFF)
  if(NOT neutone_host_problem)
    set(neutone_host_FOUND ON)
    if(NOT TARGET neutone_host)
      neutone_add_host("${CMAKE_CURRENT_LIST_DIR}/../../../include/neutone/host")
      # Somebody else's project has warnings of its own.
      target_compile_options(neutone_host PRIVATE $<IF:$<CXX_COMPILER_ID:MSVC>,/w,-w>)
      set_target_properties(neutone_host PROPERTIES EXCLUDE_FROM_ALL ON)
    endif()
  endif()
endif()

foreach(component IN LISTS neutone_FIND_COMPONENTS)
  if(neutone_${component}_FOUND)
    continue()
  elseif(NOT component MATCHES "^(dsp|engine|ops|host)$")
    set(neutone_${component}_problem "there is no such component; there are dsp, engine, ops and host.")
  endif()
  if(neutone_FIND_REQUIRED_${component})
    set(neutone_FOUND OFF)
    set(neutone_NOT_FOUND_MESSAGE "neutone::${component}: ${neutone_${component}_problem}")
  elseif(NOT neutone_FIND_QUIETLY)
    message(STATUS "Without neutone::${component}: ${neutone_${component}_problem}")
  endif()
endforeach()
