#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace neutone::example {

// What hosts know a plugin by, and the model that it begins with.
struct Identity {
  std::string name;
  std::string lv2_uri;
  std::string clap_id;
  std::uint32_t vst3_id;
  std::filesystem::path model;  // empty for none
};

// What bundle.json says, which `neutone bundle` puts beside the plugin, or into Contents/Resources of a VST3; the
// example without it. [any thread, reads a file the first time]
[[nodiscard]] const Identity& identity();

}  // namespace neutone::example
