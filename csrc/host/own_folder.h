#pragma once

#include <filesystem>

namespace neutone::host {

// The folder of the executable or plugin that this code is part of, empty if unknown. [any thread]
[[nodiscard]] std::filesystem::path own_folder();

}  // namespace neutone::host
