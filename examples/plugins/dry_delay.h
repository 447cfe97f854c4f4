#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "dsp/planar.h"

// Delays the input by what the engine needs, so that dry and wet signal meet again. Another delay fades in.
class DryDelay {
 public:
  // Longer delays give silence: 10 s at 48 kHz.
  static constexpr std::size_t kMaxDelayFrames = (std::size_t{1} << 19) - (std::size_t{1} << 13);

  // [allocates]
  DryDelay(std::size_t channels, std::size_t fade_frames)
      : fade_frames_(std::max<std::size_t>(1, fade_frames)), ring_(channels * kRingFrames) {}

  // Writes what came in `delay` frames ago over `audio`, up to 8192 frames. [audio, wait-free]
  void process(const neutone::dsp::Planar<float>& audio, std::size_t delay) noexcept {
    if (!is_started_) delay_ = delay;
    is_started_ = true;
    if (delay != delay_ && fade_left_ == 0) {
      delay_before_ = delay_;
      delay_ = delay;
      fade_left_ = fade_frames_;
    }
    for (std::size_t channel = 0; channel < audio.channels; ++channel) {
      float* row = audio.row(channel);
      float* ring = ring_.data() + channel * kRingFrames;
      for (std::size_t i = 0; i < audio.frames; ++i) {
        ring[(position_ + i) % kRingFrames] = row[i];
        row[i] = faded(ring, position_ + i, fade_left_ - std::min(i, fade_left_));
      }
    }
    position_ += audio.frames;
    fade_left_ -= std::min(audio.frames, fade_left_);
  }

 private:
  static constexpr std::size_t kRingFrames = std::size_t{1} << 19;

  [[nodiscard]] float faded(const float* ring, std::size_t position, std::size_t fade_left) const noexcept {
    const float now = tap(ring, position, delay_);
    if (fade_left == 0) return now;
    const float share = static_cast<float>(fade_left) / static_cast<float>(fade_frames_);
    return now + share * (tap(ring, position, delay_before_) - now);
  }

  [[nodiscard]] static float tap(const float* ring, std::size_t position, std::size_t delay) noexcept {
    return delay <= kMaxDelayFrames ? ring[(position - delay) % kRingFrames] : 0.0F;
  }

  std::size_t fade_frames_;
  std::vector<float> ring_;  // a row a channel
  std::size_t position_ = kRingFrames;
  std::size_t delay_ = 0;
  std::size_t delay_before_ = 0;
  std::size_t fade_left_ = 0;
  bool is_started_ = false;
};
