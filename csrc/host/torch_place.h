#pragma once

#include <filesystem>

namespace neutone::host {

// The folder of the torch library that this process uses, empty if unknown. [any thread]
[[nodiscard]] std::filesystem::path torch_folder();

}  // namespace neutone::host
