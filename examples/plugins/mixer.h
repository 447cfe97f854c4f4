#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "dry_delay.h"
#include "dsp/parameter_smoother.h"
#include "dsp/planar.h"

// What is around a model: a gain before it, and behind it a mix with the input, as late as the model's output. Nothing
// steps: gains move in 20 ms.
class Mixer {
 public:
  struct Gains {
    double input = 1.0;
    double wet = 1.0;
    double dry = 0.0;
  };

  // For blocks of any size; the model gets at most `max_frames` at once, 1 to 8192. [allocates]
  Mixer(std::size_t channels, std::size_t max_frames, double sample_rate_hz)
      : channels_(channels),
        max_frames_(max_frames),
        smoothing_samples_(kSmoothingSeconds * sample_rate_hz),
        buffer_(2 * channels * max_frames),
        dry_delay_(channels, static_cast<std::size_t>(smoothing_samples_)) {}

  // One callback; `inputs` and `outputs` may be the same memory. `play_model` plays over the audio that it gets, and
  // returns by how many frames that is late. [audio, wait-free]
  template <typename PlayModel>
  void process(const float* const* inputs, float* const* outputs, std::size_t frames, const Gains& gains,
               const PlayModel& play_model) {
    for (std::size_t first = 0; first < frames; first += max_frames_) {
      process_piece(inputs, outputs, first, std::min(max_frames_, frames - first), gains, play_model);
    }
  }

 private:
  static constexpr double kSmoothingSeconds = 0.02;

  template <typename PlayModel>
  void process_piece(const float* const* inputs, float* const* outputs, std::size_t first, std::size_t frames,
                     const Gains& gains, const PlayModel& play_model) {
    const auto stride = static_cast<std::ptrdiff_t>(max_frames_);
    const neutone::dsp::Planar<float> dry{buffer_.data(), channels_, frames, stride};
    const neutone::dsp::Planar<float> wet{buffer_.data() + channels_ * max_frames_, channels_, frames, stride};
    for (std::size_t channel = 0; channel < channels_; ++channel) {
      std::copy_n(inputs[channel] + first, frames, dry.row(channel));
    }
    smooth(input_, gains.input, frames,
           [&](std::size_t channel, std::size_t i, float gain) { wet.row(channel)[i] = gain * dry.row(channel)[i]; });
    dry_delay_.process(dry, play_model(wet));
    smooth(wet_, gains.wet, frames,
           [&](std::size_t channel, std::size_t i, float gain) { wet.row(channel)[i] *= gain; });
    smooth(dry_, gains.dry, frames, [&](std::size_t channel, std::size_t i, float gain) {
      outputs[channel][first + i] = wet.row(channel)[i] + gain * dry.row(channel)[i];
    });
  }

  template <typename Apply>
  void smooth(neutone::dsp::ParameterSmoother& smoother, double target, std::size_t frames, const Apply& apply) {
    using enum neutone::dsp::Smoothing;
    smoother.process(kLinear, smoothing_samples_, target, frames, [&](std::size_t i, double gain) {
      for (std::size_t channel = 0; channel < channels_; ++channel) apply(channel, i, static_cast<float>(gain));
    });
  }

  std::size_t channels_;
  std::size_t max_frames_;
  double smoothing_samples_;
  std::vector<float> buffer_;  // dry, then wet: a row a channel
  DryDelay dry_delay_;
  neutone::dsp::ParameterSmoother input_, wet_, dry_;
};
