# Finds what an operator library on torch's stable ABI needs, and nothing else: the headers and libtorch_cpu.
#
# Looks in TORCH_ROOT, or asks the Python that builds (Python_EXECUTABLE) where torch is. Defines the imported target
# TorchStable::TorchStable and the variable TorchStable_VERSION.
if(NOT TORCH_ROOT)
  find_package(Python REQUIRED COMPONENTS Interpreter)
  execute_process(
    COMMAND "${Python_EXECUTABLE}" -c "import importlib.util as u; print(u.find_spec('torch').submodule_search_locations[0])"
    OUTPUT_VARIABLE TORCH_ROOT
    OUTPUT_STRIP_TRAILING_WHITESPACE
    ERROR_QUIET)
endif()
if(TORCH_ROOT AND EXISTS "${TORCH_ROOT}/version.py")
  file(STRINGS "${TORCH_ROOT}/version.py" TorchStable_version_line REGEX "^__version__")
  string(REGEX MATCH "[0-9]+\\.[0-9]+\\.[0-9]+" TorchStable_VERSION "${TorchStable_version_line}")
endif()

find_path(TorchStable_INCLUDE_DIR torch/csrc/stable/library.h PATHS "${TORCH_ROOT}/include" NO_DEFAULT_PATH NO_CACHE)
find_library(TorchStable_LIBRARY torch_cpu PATHS "${TORCH_ROOT}/lib" NO_DEFAULT_PATH NO_CACHE)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  TorchStable
  REQUIRED_VARS TorchStable_LIBRARY TorchStable_INCLUDE_DIR
  VERSION_VAR TorchStable_VERSION
  REASON_FAILURE_MESSAGE "torch 2.10 or newer must be importable by ${Python_EXECUTABLE}, or TORCH_ROOT be set to its folder")

if(TorchStable_FOUND AND NOT TARGET TorchStable::TorchStable)
  add_library(TorchStable::TorchStable UNKNOWN IMPORTED)
  set_target_properties(TorchStable::TorchStable PROPERTIES IMPORTED_LOCATION "${TorchStable_LIBRARY}"
                                                            INTERFACE_INCLUDE_DIRECTORIES "${TorchStable_INCLUDE_DIR}")
endif()
