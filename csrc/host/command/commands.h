#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/engine.h"

// What neutone-host does. Each prints to standard output and throws what it cannot do.
namespace neutone::host {

struct InfoOptions {
  std::filesystem::path model;
  bool as_json = false;
};

struct RenderOptions {
  std::filesystem::path model;
  std::filesystem::path source;
  std::filesystem::path target;
  std::vector<std::string> params;  // NAME=VALUE, in the knob's own unit
  std::int64_t sample_rate_hz = 0;  // 0: that of the source
  std::size_t buffer_frames = 512;
  std::size_t channels = 0;  // 0: those of the source
  engine::LatencyMode mode = engine::LatencyMode::kBlocking;
};

struct SoakOptions {
  std::filesystem::path model;
  double seconds = 10.0;
  std::int64_t sample_rate_hz = 48'000;
  std::size_t buffer_frames = 512;
  std::size_t instances = 1;
  std::size_t threads = 1;  // that run the models of all instances
  engine::LatencyMode mode = engine::LatencyMode::kTwoBlocks;
};

void print_info(const InfoOptions& options);
void render(const RenderOptions& options);
// Returns whether every sample came in time.
[[nodiscard]] bool soak(const SoakOptions& options);

// Text of strangers, without control characters: those may drive a terminal.
[[nodiscard]] std::string printable(const std::string& text);

}  // namespace neutone::host
