#pragma once

#include <filesystem>
#include <string>

namespace neutone::host {

// Where the operator library is, which native files need: the file that the environment variable NEUTONE_OPS_LIBRARY
// names; or else libneutone_ops.so beside the executable or plugin that this code is part of; or else the one of a
// neutone_sdk that pip has installed beside the torch that this process uses. Throws LoadError with all that was looked
// for. [any thread]
[[nodiscard]] std::filesystem::path find_operators();

// Loads them into this process for good. Once done, the same file again does nothing, and another one throws LoadError:
// torch takes each operator once. If another plugin has brought them along, those stay. Throws LoadError too if the
// file is none of these libraries. [any thread, allocates]
void load_operators(const std::filesystem::path& library);

// The version of the operators that this process has, empty if none. [any thread]
[[nodiscard]] std::string operators_version();

}  // namespace neutone::host
