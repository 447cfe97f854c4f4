#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "dsp/planar.h"

namespace neutone::host {

// A clip in memory: rows of samples, one a channel.
struct Clip {
  std::int64_t sample_rate_hz = 0;
  std::size_t channels = 0;
  std::size_t frames = 0;
  std::vector<float> samples;

  Clip(std::int64_t rate_hz, std::size_t n_channels, std::size_t n_frames)
      : sample_rate_hz(rate_hz), channels(n_channels), frames(n_frames), samples(n_channels * n_frames) {}

  [[nodiscard]] dsp::Planar<float> rows() noexcept {
    return {samples.data(), channels, frames, static_cast<std::ptrdiff_t>(frames), 1};
  }
  [[nodiscard]] dsp::Planar<const float> rows() const noexcept {
    return {samples.data(), channels, frames, static_cast<std::ptrdiff_t>(frames), 1};
  }
};

// Reads one or two channels of any format that libsndfile knows. Throws std::runtime_error. [allocates]
[[nodiscard]] Clip read_clip(const std::filesystem::path& file);

// Writes a WAV of 32-bit floats; the file is there whole or not at all. Throws std::runtime_error. [allocates]
void write_clip(const Clip& clip, const std::filesystem::path& file);

// The clip at another rate, sample `m` belonging to the time `m / sample_rate_hz`: silence is taken to lie on either
// side. Throws std::invalid_argument if the rates are too far apart. [allocates]
[[nodiscard]] Clip resampled(const Clip& clip, std::int64_t sample_rate_hz);

}  // namespace neutone::host
