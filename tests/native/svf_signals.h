#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <vector>

#include "buffer.h"
#include "check.h"
#include "dsp/svf.h"
#include "signals.h"

// What the state-variable filter's tests play: audio, and knobs or curves for what can be controlled.
namespace neutone::test {

using dsp::Planar;
using dsp::Svf;
using dsp::SvfControls;
using dsp::SvfMix;

inline constexpr double kRateHz = 48'000.0;
inline constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
inline constexpr float kInfinity = std::numeric_limits<float>::infinity();
inline constexpr std::array<SvfMix, 3> kOutputs{{{1.0, 0.0, 0.0}, {0.0, 1.0, 0.0}, {0.0, 0.0, 1.0}}};
inline constexpr std::array<std::size_t, 4> kChannelCounts{1, 2, 3, 5};

// Audio and controls of their own memory, the controls one row a channel and one value a frame.
struct Signals {
  Buffer audio;
  Buffer cutoff_hz;
  Buffer resonance;
  Buffer band;
  Buffer low;
  Buffer high;

  Signals(std::size_t channels, std::size_t frames, Layout layout = Layout::kContiguous)
      : audio(channels, frames, layout),
        cutoff_hz(channels, frames, layout),
        resonance(channels, frames, layout),
        band(channels, frames, layout),
        low(channels, frames, layout),
        high(channels, frames, layout) {}

  [[nodiscard]] SvfControls controls() const {
    return {cutoff_hz.planar(), resonance.planar(), band.planar(), low.planar(), high.planar()};
  }
};

// White noise, and controls that jump with every frame.
inline Signals jumping(std::size_t channels, std::size_t frames, Layout layout = Layout::kContiguous) {
  std::mt19937_64 random(seed());
  std::uniform_real_distribution<float> uniform(-1.0F, 1.0F);
  Signals signals(channels, frames, layout);
  fill(signals.audio, [&] { return uniform(random); });
  fill(signals.cutoff_hz, [&] { return 700.0F * std::pow(30.0F, uniform(random)); });
  fill(signals.resonance, [&] { return 2.0F * std::pow(5.0F, uniform(random)); });
  for (const Buffer* mix : {&signals.band, &signals.low, &signals.high}) fill(*mix, [&] { return uniform(random); });
  return signals;
}

inline Planar<const float> repeat_channels(Planar<const float> curve) {
  curve.channel_stride = 0;
  return curve;
}
inline Planar<const float> repeat_frames(Planar<const float> curve) {
  curve.frame_stride = 0;
  return curve;
}

template <typename Change>
SvfControls changed(const SvfControls& controls, const Change& change) {
  return {change(controls.cutoff_hz), change(controls.resonance), change(controls.mix_band), change(controls.mix_low),
          change(controls.mix_high)};
}

// The same for all channels, the same for all frames, both, or neither; and mixtures.
inline std::vector<SvfControls> shapes_of(const SvfControls& controls) {
  const SvfControls shared = changed(controls, repeat_channels);
  const SvfControls still = changed(controls, repeat_frames);
  SvfControls knob_and_curves = shared;
  knob_and_curves.resonance = repeat_frames(shared.resonance);
  knob_and_curves.mix_low = controls.mix_low;
  SvfControls moving_mix = changed(shared, repeat_frames);
  moving_mix.mix_band = shared.mix_band;
  return {controls, shared, still, changed(shared, repeat_frames), knob_and_curves, moving_mix};
}

inline SvfControls slice(const SvfControls& controls, std::size_t first, std::size_t count) {
  return changed(controls, [&](const Planar<const float>& curve) { return curve.slice_frames(first, count); });
}

// Planar curves of one constant each.
struct Knobs {
  std::array<float, 5> values;
  Knobs(double cutoff_hz, double resonance, const SvfMix& mix)
      : values{static_cast<float>(cutoff_hz), static_cast<float>(resonance), static_cast<float>(mix.band),
               static_cast<float>(mix.low), static_cast<float>(mix.high)} {}
  [[nodiscard]] SvfControls controls(std::size_t channels, std::size_t frames) const {
    const auto knob = [&](std::size_t i) { return Planar<const float>{&values.at(i), channels, frames, 0, 0}; };
    return {knob(0), knob(1), knob(2), knob(3), knob(4)};
  }
};

inline Buffer filtered(Svf& filter, const Planar<float>& in, const SvfControls& controls) {
  Buffer out(in.channels, in.frames);
  filter.process(in, controls, out.planar());
  return out;
}

inline Buffer filtered(const Planar<float>& in, const SvfControls& controls, double rate_hz = kRateHz) {
  Svf filter(rate_hz, in.channels);
  return filtered(filter, in, controls);
}

inline Buffer impulse_response(const Knobs& knobs, std::size_t frames) {
  return filtered(impulse(1, frames).planar(), knobs.controls(1, frames));
}

}  // namespace neutone::test
