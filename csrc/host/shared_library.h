#pragma once

#include <filesystem>
#include <string>

// What systems call by different names. For csrc/host only.
namespace neutone::host {

// The executable or shared library that holds a function, empty if unknown. [any thread]
[[nodiscard]] std::filesystem::path file_of(const void* function);

// Loads a shared library into this process for good. Returns what the system has against it, empty if nothing.
// [any thread, allocates]
[[nodiscard]] std::string load_shared_library(const std::filesystem::path& library);

// What this system calls the file of a library. [any thread, allocates]
[[nodiscard]] std::string library_file_name(const std::string& library);

}  // namespace neutone::host
