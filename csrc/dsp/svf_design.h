#pragma once

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

#include "planar.h"

namespace neutone::dsp {

// Bounds of a control. What lies outside is moved to the nearer one.
struct SvfRange {
  float minimum;
  float maximum;

  // NaN counts as zero.
  [[nodiscard]] double nearest(double value) const noexcept {
    return std::clamp(std::isnan(value) ? 0.0 : value, static_cast<double>(minimum), static_cast<double>(maximum));
  }
};

inline constexpr double kMinSvfRateHz = 1.0;
inline constexpr double kMaxSvfRateHz = 768'000.0;
inline constexpr float kMinSvfCutoffHz = 1e-4F;
inline constexpr double kMaxSvfNormalizedCutoff = 0.5 * (1.0 - 1e-4);  // the tangent is 6366 there
inline constexpr SvfRange kSvfResonance{1e-4F, 1e6F};
inline constexpr SvfRange kSvfMix{-1e6F, 1e6F};

[[nodiscard]] constexpr SvfRange svf_cutoff_hz(double sample_rate_hz) noexcept {
  return {kMinSvfCutoffHz, static_cast<float>(kMaxSvfNormalizedCutoff * sample_rate_hz)};
}

// How much of each output the result has. `band` is scaled to a gain of 1 at the cutoff.
struct SvfMix {
  double band = 0.0;
  double low = 0.0;
  double high = 0.0;
};

// What one channel remembers: its two integrators, and its controls' latest values that are numbers. Doubles only,
// because it also lies in memory that torch owns and saves; all zeros are a filter that has heard nothing.
struct SvfState {
  double band = 0.0;
  double low = 0.0;
  double cutoff_hz = 0.0;
  double resonance = 0.0;
  SvfMix mix;
};

// A value for every channel and frame of the audio; strides of 0 repeat one.
struct SvfControls {
  Planar<const float> cutoff_hz;
  Planar<const float> resonance;  // Q: 0.7071 is Butterworth's
  Planar<const float> mix_band;
  Planar<const float> mix_low;
  Planar<const float> mix_high;
};

// The filter's response at `normalized_freq` if its controls stand still, `normalized_cutoff` being cutoff over rate.
// The trapezoidal rule maps the analog prototype's s to i tan(pi f) / tan(pi cutoff); with the tangents multiplied out,
// Nyquist's frequency is no exception.
[[nodiscard]] inline std::complex<double> svf_response(double normalized_cutoff, double resonance, const SvfMix& mix,
                                                       double normalized_freq) noexcept {
  const double damping = 1.0 / kSvfResonance.nearest(resonance);
  const double cutoff = std::numbers::pi * std::clamp(normalized_cutoff, 0.0, kMaxSvfNormalizedCutoff);
  const double s = std::sin(std::numbers::pi * normalized_freq) * std::cos(cutoff);
  const double one = std::cos(std::numbers::pi * normalized_freq) * std::sin(cutoff);
  const std::complex<double> band{0.0, damping * s * one};
  const double low = one * one;
  const double high = -s * s;
  return (mix.band * band + mix.low * low + mix.high * high) / (band + low + high);
}

}  // namespace neutone::dsp
