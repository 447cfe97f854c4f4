#include <algorithm>
#include <cstdint>
#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "host/command/commands.h"
#include "host/model.h"

namespace neutone::host {
namespace {

template <typename Values>
std::string joined(const Values& values, const char* separator = ", ") {
  std::ostringstream text;
  for (std::size_t i = 0; i < values.size(); ++i) text << (i == 0 ? "" : separator) << values[i];
  return text.str();
}

void print_row(const std::string& name, const std::string& value) {
  if (value.empty()) return;
  std::cout << std::left << std::setw(14) << name << printable(value) << "\n";
}

std::string samples(std::int64_t count) { return count == 0 ? "" : std::to_string(count) + " samples"; }

std::string any_if_none(const std::vector<std::int64_t>& values, const std::string& unit) {
  return values.empty() ? "any" : joined(values) + unit;
}

std::string range(const Knob& knob) {
  if (!knob.labels.empty()) return joined(knob.labels, " | ");
  std::ostringstream text;
  text << knob.min_value << " .. " << knob.max_value;
  return text.str();
}

std::string default_of(const Knob& knob) {
  if (!knob.labels.empty()) return knob.labels[static_cast<std::size_t>(knob.default_value)];
  std::ostringstream text;
  text << knob.default_value;
  return text.str();
}

void print_knob(const Knob& knob) {
  std::cout << "\nknob " << printable(knob.name) << (knob.is_used ? "" : " (hidden)") << "\n";
  print_row("  range", range(knob));
  print_row("  default", default_of(knob));
  print_row("  about", knob.description);
}

std::string channels(const Metadata& metadata) {
  const auto name = [](bool is_mono) { return is_mono ? "mono" : "stereo"; };
  return std::string(name(metadata.is_input_mono)) + " in, " + name(metadata.is_output_mono) + " out";
}

}  // namespace

std::string printable(const std::string& text) {
  std::string shown;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool is_c1 = byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (is_c1) ++i;
    if (is_c1 || (byte < 0x20 && byte != '\n') || byte == 0x7F) continue;
    shown += text[i];
  }
  return shown;
}

void print_info(const InfoOptions& options) {
  const Metadata metadata = read_metadata(options.model);
  if (options.as_json) {
    std::cout << nlohmann::json::parse(metadata.json).dump(4, ' ', /*ensure_ascii=*/true) << "\n";
    return;
  }
  std::cout << printable(metadata.name) << (metadata.is_experimental ? " (experimental)" : "") << "\n\n";
  print_row("", metadata.short_description);
  print_row("authors", joined(metadata.authors));
  print_row("version", metadata.version);
  print_row("about", metadata.long_description);
  print_row("technical", metadata.technical_description);
  print_row("tags", joined(metadata.tags));
  for (const auto& [caption, link] : metadata.technical_links) {
    std::ostringstream line;
    line << caption << ": " << link;
    print_row("link", line.str());
  }
  print_row("citation", metadata.citation);
  print_row("channels", channels(metadata));
  print_row("sample rates", any_if_none(metadata.native_sample_rates_hz, " Hz"));
  print_row("block sizes", any_if_none(metadata.native_block_sizes_frames, " samples"));
  print_row("look-behind", samples(metadata.look_behind_samples));
  print_row("look-ahead", samples(metadata.look_ahead_samples));
  print_row("flavour", metadata.flavour);
  print_row("made with", "neutone_sdk " + metadata.sdk_version + ", torch " + metadata.torch_version);
  for (const Knob& knob : metadata.knobs) print_knob(knob);
}

}  // namespace neutone::host
