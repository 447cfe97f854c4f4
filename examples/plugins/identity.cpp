#include "identity.h"

#include <exception>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <system_error>

#include "DistrhoPluginInfo.h"
#include "host/own_folder.h"

namespace neutone::example {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kExampleId = 0x6e6d6530U + NEUTONE_PLUGIN_CHANNELS;  // "nme1" and "nme2"

fs::path bundle_file() {
  const fs::path own = host::own_folder();
  for (const fs::path& folder : {own, own.parent_path() / "Resources"}) {
    std::error_code ignored;
    if (fs::path file = folder / "bundle.json"; fs::is_regular_file(file, ignored)) return file;
  }
  return {};
}

Identity read(const fs::path& file) {
  std::ifstream stream(file);
  const auto facts = nlohmann::json::parse(stream);
  return {
      .name = facts.at("name").get<std::string>(),
      .lv2_uri = facts.at("lv2_uri").get<std::string>(),
      .clap_id = facts.at("clap_id").get<std::string>(),
      .vst3_id = facts.at("vst3_id").get<std::uint32_t>(),
      .model = file.parent_path() / facts.at("model").get<std::string>(),
  };
}

Identity find() {
  if (const fs::path file = bundle_file(); !file.empty()) {
    try {
      return read(file);
    } catch (const std::exception& error) {
      std::cerr << "Neutone: " + file.string() + " is damaged, make the bundle again: " + error.what() + "\n";
    }
  }
  return {DISTRHO_PLUGIN_NAME, DISTRHO_PLUGIN_URI, NEUTONE_EXAMPLE_CLAP_ID, kExampleId, {}};
}

}  // namespace

const Identity& identity() {
  static const Identity found = find();
  return found;
}

}  // namespace neutone::example
