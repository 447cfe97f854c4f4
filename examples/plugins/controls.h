#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>

#include "engine/stats.h"
#include "host/metadata.h"
#include "parameters.h"

// Where the controls stand, and what they are called.
class Controls {
 public:
  Controls() {
    for (std::size_t i = 0; i < kControlCount; ++i) values_[i] = kControls[i].default_value;
  }

  // Names and positions for a model. Hosts look only once, so later models find those of the first. [control]
  void take_defaults(const neutone::host::Metadata& metadata) {
    for (std::size_t i = 0; i < std::min<std::size_t>(kKnobCount, metadata.knobs.size()); ++i) {
      knob_names_[i] = metadata.knobs[i].name;
      values_[kKnob1 + i] = metadata.knobs[i].default_position();
    }
    values_[kWet] = static_cast<float>(metadata.wet_default);
    values_[kDry] = static_cast<float>(metadata.dry_default);
    values_[kInputGain] = static_cast<float>(metadata.input_gain_default);
    values_[kOutputGain] = static_cast<float>(metadata.output_gain_default);
  }

  // [control]
  [[nodiscard]] const char* name(std::uint32_t index) const {
    return index < kKnobCount && !knob_names_[index].empty() ? knob_names_[index].c_str() : kControls[index].name;
  }

  // [any thread, wait-free; as all that follow]
  void set(std::uint32_t index, float value) noexcept { values_[index] = value; }
  [[nodiscard]] float value(std::uint32_t index) const noexcept { return values_[index]; }
  [[nodiscard]] bool is_on(Control control) const noexcept { return values_[control] > 0.5F; }
  // 0 to 1 stand for -30 to +30 dB.
  [[nodiscard]] double gain(Control control) const noexcept {
    return std::pow(10.0, (values_[control] - 0.5) * 60.0 / 20.0);
  }
  [[nodiscard]] std::array<float, kKnobCount> knobs() const noexcept {
    std::array<float, kKnobCount> knobs{};
    std::copy_n(values_.begin(), kKnobCount, knobs.begin());
    return knobs;
  }
  void show(const neutone::engine::Losses& losses) noexcept {
    show(kMissingSamples, static_cast<float>(losses.missing_samples));
    show(kLateBlocks, static_cast<float>(losses.late_blocks));
  }

 private:
  void show(Control counter, float value) noexcept { values_[counter] = std::min(value, kControls[counter].max_value); }

  std::array<std::atomic<float>, kControlCount> values_{};
  std::array<std::string, kKnobCount> knob_names_;
};
