#pragma once

#include <cstddef>
#include <vector>

#include "dsp/planar.h"
#include "noise.h"

namespace neutone::bench {

constexpr std::size_t kChannels = 2;
constexpr std::size_t kFrames = 512;
constexpr float kDenormal = 1e-39F;

// A planar block of noise, and room for what becomes of it: half a page further in a page, because where two buffers
// lie in their pages alike, a processor takes loads from the one for loads of what was just stored into the other.
class Block {
 public:
  explicit Block(float amplitude = 1.0F, std::size_t channels = kChannels, std::size_t frames = kFrames)
      : channels_(channels),
        frames_(frames),
        out_at_((channels * frames + kPage - 1) / kPage * kPage + kPage / 2),
        memory_(out_at_ + channels * frames) {
    Noise noise(1);
    for (std::size_t i = 0; i < channels * frames; ++i) memory_[i] = amplitude * (noise.next() - 0.5F);
  }

  [[nodiscard]] float& sample(std::size_t channel, std::size_t frame) noexcept {
    return memory_[channel * frames_ + frame];
  }
  [[nodiscard]] dsp::Planar<const float> in() const noexcept {
    return {memory_.data(), channels_, frames_, stride(), 1};
  }
  [[nodiscard]] dsp::Planar<float> out() noexcept {
    return {memory_.data() + out_at_, channels_, frames_, stride(), 1};
  }

 private:
  static constexpr std::size_t kPage = 4096 / sizeof(float);

  [[nodiscard]] std::ptrdiff_t stride() const noexcept { return static_cast<std::ptrdiff_t>(frames_); }

  std::size_t channels_;
  std::size_t frames_;
  std::size_t out_at_;
  std::vector<float> memory_;
};

}  // namespace neutone::bench
