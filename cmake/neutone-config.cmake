# The CMake package of neutone_sdk, which lies in the Python package: find_package(neutone CONFIG [COMPONENTS ...]).
#
# neutone::dsp     filters, resampler, rings, parameters; C++20 and the standard library
# neutone::engine  plays a model on an audio thread that never waits for it; needs neutone::dsp and threads
# neutone::ops     the operators that .nm files call, a shared library: see neutone-operators.cmake
# neutone::host    opens .nm files for neutone::engine; needs torch 2.10 or newer and nlohmann_json
#
# Without COMPONENTS, neutone::host is there if its needs are.
if(NOT CMAKE_CXX_COMPILER_LOADED)
  set(neutone_FOUND OFF)
  set(neutone_NOT_FOUND_MESSAGE "neutone is C++: enable the language CXX before find_package, as project(... LANGUAGES CXX) does.")
  return()
endif()
include(CMakeFindDependencyMacro)
find_dependency(Threads)
include("${CMAKE_CURRENT_LIST_DIR}/neutone-targets.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/neutone-operators.cmake")

set(neutone_components ${neutone_FIND_COMPONENTS})
if(NOT neutone_components)
  set(neutone_components dsp engine ops host)
endif()

if(host IN_LIST neutone_components)
  include("${CMAKE_CURRENT_LIST_DIR}/neutone-host.cmake")
  list(PREPEND CMAKE_MODULE_PATH "${CMAKE_CURRENT_LIST_DIR}")
  set(TorchStable_HINT "${CMAKE_CURRENT_LIST_DIR}/../../../../torch") # as pip installs them: side by side
  neutone_find_needs_of_host(neutone_host_problem)
  list(REMOVE_AT CMAKE_MODULE_PATH 0)
  unset(TorchStable_HINT)
  if(NOT neutone_host_problem AND NOT TARGET neutone_host)
    neutone_add_host("${CMAKE_CURRENT_LIST_DIR}/../../../include/neutone/host")
    # Somebody else's project has warnings of its own.
    target_compile_options(neutone_host PRIVATE $<IF:$<CXX_COMPILER_ID:MSVC>,/w,-w>)
    set_target_properties(neutone_host PROPERTIES EXCLUDE_FROM_ALL ON)
  endif()
endif()

foreach(component IN LISTS neutone_components)
  if(TARGET neutone::${component})
    set(neutone_${component}_FOUND ON)
    continue()
  endif()
  set(neutone_problem "there is no such component; there are dsp, engine, ops and host.")
  if(component STREQUAL host)
    set(neutone_problem "${neutone_host_problem}")
  elseif(component STREQUAL ops)
    set(neutone_problem "this package was built without the operators (NEUTONE_BUILD_OPS).")
  endif()
  if(neutone_FIND_REQUIRED_${component})
    set(neutone_FOUND OFF)
    set(neutone_NOT_FOUND_MESSAGE "neutone::${component}: ${neutone_problem}")
  elseif(NOT neutone_FIND_QUIETLY)
    message(STATUS "Without neutone::${component}: ${neutone_problem}")
  endif()
endforeach()
unset(neutone_components)
unset(neutone_problem)
unset(neutone_host_problem)
