#pragma once

#include <filesystem>
#include <string>

namespace neutone::host {

// Throws LoadError unless it is a regular file of at most 2 GiB: not a folder, a pipe or a device. [any thread]
void check_is_file(const std::filesystem::path& file);

// All of such a file. Throws LoadError. [any thread, allocates]
[[nodiscard]] std::string read_file(const std::filesystem::path& file);

}  // namespace neutone::host
