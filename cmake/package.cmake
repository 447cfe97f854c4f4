# What a plugin developer finds in the Python package: headers, the core as static libraries, sources of the host, and the
# CMake package that leads to them. docs/plugin-hosts.md
include(CMakePackageConfigHelpers)
set(cmake_folder neutone_sdk/share/cmake/neutone)
set(include_folder neutone_sdk/include)

install(TARGETS neutone_dsp neutone_engine EXPORT neutone ARCHIVE DESTINATION neutone_sdk/lib
        INCLUDES DESTINATION ${include_folder})
install(EXPORT neutone NAMESPACE neutone:: FILE neutone-targets.cmake DESTINATION ${cmake_folder})
write_basic_package_version_file(neutone-config-version.cmake COMPATIBILITY SameMajorVersion)
install(FILES cmake/FindTorchStable.cmake cmake/neutone-config.cmake cmake/neutone-host.cmake cmake/neutone-operators.cmake
              "${CMAKE_CURRENT_BINARY_DIR}/neutone-config-version.cmake" DESTINATION ${cmake_folder})

# Of dsp, kernels too where a template needs them; of engine, what Engine shows; of host, all, to be compiled.
install(DIRECTORY csrc/dsp DESTINATION ${include_folder}/neutone FILES_MATCHING PATTERN "*.h"
        PATTERN "argument_range.h" EXCLUDE PATTERN "instruction_set.h" EXCLUDE PATTERN "kaiser.h" EXCLUDE)
install(FILES csrc/engine/engine.h csrc/engine/model.h csrc/engine/stats.h csrc/engine/worker_pool.h
        DESTINATION ${include_folder}/neutone/engine)
install(DIRECTORY csrc/host DESTINATION ${include_folder}/neutone FILES_MATCHING PATTERN "*.h" PATTERN "*.cpp"
        PATTERN "command" EXCLUDE)
