# Finds what an operator library on torch's stable ABI needs, and nothing else: the headers and libtorch_cpu.
#
# Looks in TORCH_ROOT; or else where Torch_DIR or CMAKE_PREFIX_PATH lead, as torch.utils.cmake_prefix_path gives it; in
# TorchStable_HINT; and where Python has its torch (Python_EXECUTABLE, or the one on the path). The first folder with a
# torch decides. Defines the imported target TorchStable::TorchStable and the variables TorchStable_FOLDER and
# TorchStable_VERSION.

# The first of the folders that is a torch: from pip, or a libtorch.
function(torch_stable_first_folder result)
  foreach(folder IN LISTS ARGN)
    if(IS_DIRECTORY "${folder}/include/torch")
      cmake_path(ABSOLUTE_PATH folder NORMALIZE)
      set(${result} "${folder}" PARENT_SCOPE)
      return()
    endif()
  endforeach()
  set(${result} "" PARENT_SCOPE)
endfunction()

function(torch_stable_folder_of_python result)
  set(python "${Python_EXECUTABLE}")
  if(NOT python)
    find_program(python NAMES python3 python NO_CACHE)
  endif()
  execute_process(
    COMMAND "${python}" -c "import importlib.util as u; print(u.find_spec('torch').submodule_search_locations[0])"
    OUTPUT_VARIABLE folder
    OUTPUT_STRIP_TRAILING_WHITESPACE
    ERROR_QUIET)
  set(${result} "${folder}" PARENT_SCOPE)
endfunction()

function(torch_stable_find_folder result)
  if(TORCH_ROOT OR NOT "$ENV{TORCH_ROOT}" STREQUAL "")
    set(folders ${TORCH_ROOT} "$ENV{TORCH_ROOT}")
  else()
    if(Torch_DIR)
      set(folders "${Torch_DIR}/../../..") # share/cmake/Torch
    endif()
    cmake_path(CONVERT "$ENV{CMAKE_PREFIX_PATH}" TO_CMAKE_PATH_LIST prefixes)
    foreach(prefix IN LISTS CMAKE_PREFIX_PATH prefixes)
      list(APPEND folders "${prefix}" "${prefix}/../..") # share/cmake
    endforeach()
    list(APPEND folders ${TorchStable_HINT})
    torch_stable_folder_of_python(folder)
    list(APPEND folders ${folder})
  endif()
  torch_stable_first_folder(folder ${folders})
  set(${result} "${folder}" PARENT_SCOPE)
endfunction()

torch_stable_find_folder(TorchStable_FOLDER)
if(TorchStable_FOLDER)
  set(torch_version_file "${TorchStable_FOLDER}/build-version")
  if(EXISTS "${TorchStable_FOLDER}/version.py")
    set(torch_version_file "${TorchStable_FOLDER}/version.py")
  endif()
  file(STRINGS "${torch_version_file}" torch_version_line REGEX "^(__version__.*)?[0-9]+\\.[0-9]+" LIMIT_COUNT 1)
  string(REGEX MATCH "[0-9]+\\.[0-9]+(\\.[0-9]+)?" TorchStable_VERSION "${torch_version_line}")
  find_path(TorchStable_INCLUDE_DIR torch/csrc/stable/library.h PATHS "${TorchStable_FOLDER}/include" NO_DEFAULT_PATH
                                                                     NO_CACHE)
  find_library(TorchStable_LIBRARY torch_cpu PATHS "${TorchStable_FOLDER}/lib" NO_DEFAULT_PATH NO_CACHE)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  TorchStable
  REQUIRED_VARS TorchStable_LIBRARY TorchStable_INCLUDE_DIR
  VERSION_VAR TorchStable_VERSION
  REASON_FAILURE_MESSAGE "torch 2.10 or newer must be importable by Python, or TORCH_ROOT be set to its folder")

if(TorchStable_FOUND AND NOT TARGET TorchStable::TorchStable)
  add_library(TorchStable::TorchStable UNKNOWN IMPORTED)
  set_target_properties(TorchStable::TorchStable PROPERTIES IMPORTED_LOCATION "${TorchStable_LIBRARY}"
                                                            INTERFACE_INCLUDE_DIRECTORIES "${TorchStable_INCLUDE_DIR}")
endif()
