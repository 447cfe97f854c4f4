# The library neutone::host, for csrc/host and for the package: it is compiled where it is used, with the torch of there,
# because torch's C++ interface changes from version to version.

# Finds torch and nlohmann_json, and says in `problem` what is missing: nothing if all is there.
function(neutone_find_needs_of_host problem)
  find_package(TorchStable 2.10 QUIET)
  find_package(nlohmann_json QUIET)
  set(message "")
  if(TorchStable_FOUND AND NOT nlohmann_json_FOUND)
    string(CONCAT message "there is no nlohmann_json. Install it (Debian: nlohmann-json3-dev, macOS: brew install "
                          "nlohmann-json), or set nlohmann_json_DIR to the folder of its CMake package.")
  elseif(TorchStable_FOLDER AND TorchStable_VERSION VERSION_LESS 2.10)
    string(CONCAT message "the torch in ${TorchStable_FOLDER} has version ${TorchStable_VERSION}. Install 2.10 or newer "
                          "(pip install 'torch>=2.10'), or set TORCH_ROOT to the folder of another.")
  elseif(TorchStable_FOLDER AND NOT TorchStable_FOUND)
    string(CONCAT message "the torch in ${TorchStable_FOLDER} lacks headers or libtorch_cpu. Install it again, or set "
                          "TORCH_ROOT to the folder of another.")
  elseif(NOT TorchStable_FOUND)
    string(CONCAT message "there is no torch. Install it (pip install torch), and set Python_EXECUTABLE to the Python that "
                          "has it, or CMAKE_PREFIX_PATH to what torch.utils.cmake_prefix_path says, or TORCH_ROOT to "
                          "its folder.")
  endif()
  set(${problem} "${message}" PARENT_SCOPE)
endfunction()

# Needs neutone::engine, and what neutone_find_needs_of_host has found.
function(neutone_add_host sources)
  set(files file.cpp format.cpp messages.cpp metadata.cpp model.cpp operators.cpp own_folder.cpp shared_library.cpp)
  list(TRANSFORM files PREPEND "${sources}/")
  add_library(neutone_host STATIC ${files})
  add_library(neutone::host ALIAS neutone_host)
  get_target_property(torch_include TorchStable::TorchStable INTERFACE_INCLUDE_DIRECTORIES)
  get_target_property(torch_cpu TorchStable::TorchStable IMPORTED_LOCATION)
  cmake_path(GET torch_cpu PARENT_PATH torch_libraries)
  find_library(c10 c10 PATHS "${torch_libraries}" NO_DEFAULT_PATH NO_CACHE REQUIRED)
  # Neither libpython nor CUDA. model.cpp alone includes torch's headers.
  target_include_directories(neutone_host SYSTEM PRIVATE "${torch_include}/torch/csrc/api/include")
  target_link_libraries(
    neutone_host
    PUBLIC neutone::engine
    PRIVATE nlohmann_json::nlohmann_json TorchStable::TorchStable "${c10}" ${CMAKE_DL_LIBS})
  set_target_properties(neutone_host PROPERTIES POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden
                                                VISIBILITY_INLINES_HIDDEN ON)
endfunction()
