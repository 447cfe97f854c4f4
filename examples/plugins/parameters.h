#pragma once

#include <array>
#include <cstdint>

// The controls that a host shows, and the counters that it reads, in this order.
enum Control : std::uint32_t {
  kKnob1,
  kKnob2,
  kKnob3,
  kKnob4,
  kWet,
  kDry,
  kInputGain,
  kOutputGain,
  kShortLatency,
  kOffline,
  kBypass,
  kMissingSamples,
  kLateBlocks,
  kControlCount
};

constexpr std::uint32_t kKnobCount = 4;

struct ControlInfo {
  const char* name;
  const char* symbol;
  float default_value;
  float max_value;
  bool is_switch;
};

// 0 to 1 of a gain stand for -30 to +30 dB.
constexpr std::array<ControlInfo, kControlCount> kControls = {{
    {"Knob 1", "knob1", 0.5F, 1.0F, false},
    {"Knob 2", "knob2", 0.5F, 1.0F, false},
    {"Knob 3", "knob3", 0.5F, 1.0F, false},
    {"Knob 4", "knob4", 0.5F, 1.0F, false},
    {"Wet", "wet", 1.0F, 1.0F, false},
    {"Dry", "dry", 0.0F, 1.0F, false},
    {"Input gain", "input_gain", 0.5F, 1.0F, false},
    {"Output gain", "output_gain", 0.5F, 1.0F, false},
    {"Short latency", "short_latency", 0.0F, 1.0F, true},  // one block instead of two; from the next activation on
    {"Offline: wait", "offline", 0.0F, 1.0F, true},        // for bounces: the audio thread waits for the model
    {"Bypass", "dpf_bypass", 0.0F, 1.0F, true},
    {"Missing samples", "missing_samples", 0.0F, 16'777'216.0F, false},  // as far as a float counts
    {"Late blocks", "late_blocks", 0.0F, 16'777'216.0F, false},
}};
