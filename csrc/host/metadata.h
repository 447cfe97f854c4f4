#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace neutone::host {

enum class KnobKind : std::uint8_t { kContinuous, kCategorical };

// A parameter as a host shows it. Hosts send it as 0..1.
struct Knob {
  std::string name;
  std::string description;
  KnobKind kind = KnobKind::kContinuous;
  bool is_used = true;  // false: hosts do not show it
  // In the knob's own unit; of a menu, the number of a choice from 0 on.
  double default_value = 0.0;
  double min_value = 0.0;
  double max_value = 1.0;
  std::vector<std::string> labels;  // of a menu, one for each choice; or none

  // What a host sends for a value in the knob's own unit, and for its default.
  [[nodiscard]] float position(double value) const noexcept {
    return static_cast<float>((value - min_value) / (max_value - min_value));
  }
  [[nodiscard]] float default_position() const noexcept { return position(default_value); }
};

// What a model says of itself; what an old file does not say is empty, or as it is here.
struct Metadata {
  std::string name;
  std::vector<std::string> authors;
  std::string version;
  std::string short_description;
  std::string long_description;
  std::string technical_description;
  std::map<std::string, std::string> technical_links;  // from a caption to an address
  std::vector<std::string> tags;
  std::string citation;
  bool is_experimental = false;
  std::vector<Knob> knobs;  // at most 4, in the order in which a model gets them
  // Positions of a new plugin's controls, 0..1; 0..1 of a gain stands for -30..+30 dB.
  double wet_default = 1.0;
  double dry_default = 0.0;
  double input_gain_default = 0.5;
  double output_gain_default = 0.5;
  bool is_input_mono = false;
  bool is_output_mono = false;
  std::vector<std::int64_t> native_sample_rates_hz;     // empty: any
  std::vector<std::int64_t> native_block_sizes_frames;  // empty: any
  std::int64_t look_behind_samples = 0;
  std::int64_t look_ahead_samples = 0;
  std::string sdk_version;
  std::string torch_version;                        // that wrote the file
  std::string flavour;                              // native, portable, or empty: neutone_sdk 1.x
  std::map<std::string, std::string> required_ops;  // from a namespace of operators to its version
  std::string json;                                 // all of it, as in the file
};

// Reads a metadata.json of any version; `source` is what messages begin with. Throws LoadError if it is no JSON, longer
// or deeper than any metadata, or holds what does not belong there. [allocates]
[[nodiscard]] Metadata parse_metadata(std::string_view json_text, const std::string& source);

}  // namespace neutone::host
