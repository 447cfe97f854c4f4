#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <numbers>

#include "aligned_buffer.h"
#include "planar.h"
#include "simd.h"
#include "svf_design.h"

// From controls to coefficients: the first part of svf_kernel.h, which says how it is compiled.
namespace neutone::dsp {

// What a kernel works on: `in` and `out` have the same frames and channels, and `states` one element a channel.
struct SvfRun {
  Planar<const float> in;
  SvfControls controls;
  Planar<float> out;
  SvfState* states = nullptr;
  double sample_rate_hz = 0.0;
};

namespace kernel {

inline constexpr std::size_t kSvfChunk = 64;  // frames
inline constexpr std::size_t kSvfGroup = 8;   // a multiple of every vector's lanes

template <typename Real>
struct alignas(kCacheLineBytes) SvfCurve : std::array<Real, kSvfChunk> {};
using SvfValues = SvfCurve<double>;

struct SvfChunk {
  std::size_t first;
  std::size_t count;

  [[nodiscard]] std::size_t padded() const noexcept { return (count + kSvfGroup - 1) / kSvfGroup * kSvfGroup; }
};

// With theta = pi * cutoff / rate, g = tan(theta), 2R = 1 / resonance and d = x - s2, two trapezoidal integrators
// without delay in their feedback (Zavalishin, "The Art of VA Filter Design", ch. 4; Wishnick, "Time-varying filters
// for musical applications", DAFx 2014) are
//     hp = (d - (2R + g) s1) / (1 + 2R g + g^2),  bp = s1 + g hp,  lp = s2 + g bp,  s1' = bp + g hp,  s2' = lp + g bp.
// Put in, and multiplied by resonance * cos^2(theta), which leaves one division and no tangent:
//     s1' = keep s1 + cross d,         keep = 1 - 2 (resonance sin^2 + sin cos) / (resonance + sin cos)
//     s2' = s2 + cross s1 + drive d,   cross = 2 resonance sin cos / (resonance + sin cos),  drive = cross * sin / cos
// and bp = (s1 + s1') / 2, lp = (s2 + s2') / 2. Without input s1^2 + s2^2 changes by -4 g 2R bp^2: whatever the
// controls do from one frame to the next, it never grows.
struct SvfCoefficients {
  SvfValues keep;
  SvfValues cross;
  SvfValues drive;
  // The result is band_sum (s1 + s1') + low_sum (s2 + s2') + input x, because high = x - 2R bp - lp.
  SvfValues band_sum;
  SvfValues low_sum;
  SvfValues input;
};

// sin(x) / x and cos(x) of x^2 at most (pi / 4)^2, by Taylor; the first terms left out are below 2^-53.
NEUTONE_ALWAYS_INLINE double sine_over_angle(double squared) noexcept {
  constexpr std::array kReciprocals{-1.0 / 6.0,
                                    1.0 / 120.0,
                                    -1.0 / 5'040.0,
                                    1.0 / 362'880.0,
                                    -1.0 / 39'916'800.0,
                                    1.0 / 6'227'020'800.0,
                                    -1.0 / 1'307'674'368'000.0};
  double sum = kReciprocals.back();
  for (std::size_t i = kReciprocals.size() - 1; i-- > 0;) sum = kReciprocals[i] + squared * sum;
  return 1.0 + squared * sum;
}
NEUTONE_ALWAYS_INLINE double cosine(double squared) noexcept {
  constexpr std::array kReciprocals{-1.0 / 2.0,
                                    1.0 / 24.0,
                                    -1.0 / 720.0,
                                    1.0 / 40'320.0,
                                    -1.0 / 3'628'800.0,
                                    1.0 / 479'001'600.0,
                                    -1.0 / 87'178'291'200.0,
                                    1.0 / 20'922'789'888'000.0};
  double sum = kReciprocals.back();
  for (std::size_t i = kReciprocals.size() - 1; i-- > 0;) sum = kReciprocals[i] + squared * sum;
  return 1.0 + squared * sum;
}

struct SineCosine {
  double sine;
  double cosine;
};
// Of pi times a frequency from 0 to 0.5; above 0.25 they change places, so both keep their relative precision.
NEUTONE_ALWAYS_INLINE SineCosine sine_cosine(double normalized_freq) noexcept {
  const double mirrored = 0.5 - normalized_freq;
  const bool is_upper = mirrored < normalized_freq;
  const double angle = std::numbers::pi * (is_upper ? mirrored : normalized_freq);
  const double squared = angle * angle;
  const double small = angle * sine_over_angle(squared);
  const double large = cosine(squared);
  return {is_upper ? large : small, is_upper ? small : large};
}

// The first `count` frames of keep, cross, drive, and of 2R, which goes to band_sum.
NEUTONE_ALWAYS_INLINE void compute_steps(const SvfValues& cutoff_hz, const SvfValues& resonance, double sample_rate_hz,
                                         std::size_t count, SvfCoefficients& to) noexcept {
  const double period_s = 1.0 / sample_rate_hz;
  for (std::size_t i = 0; i < count; ++i) {
    const auto [sine, cosine] = sine_cosine(cutoff_hz[i] * period_s);
    const double product = sine * cosine;
    const double squared = resonance[i] * (sine * sine);
    const double scale = 2.0 / (resonance[i] + product);
    to.keep[i] = 1.0 - (squared + product) * scale;
    to.cross[i] = resonance[i] * product * scale;
    to.drive[i] = squared * scale;
    to.band_sum[i] = 1.0 / resonance[i];
  }
}

// A channel's samples in a chunk.
NEUTONE_ALWAYS_INLINE void read_row(const Planar<const float>& from, std::size_t channel, const SvfChunk& chunk,
                                    SvfCurve<float>& to) noexcept {
  const float* const row = from.row(channel) + static_cast<std::ptrdiff_t>(chunk.first) * from.frame_stride;
  if (from.frame_stride == 1 && chunk.count == kSvfChunk) {
    std::memcpy(to.data(), row, sizeof(to));  // of a size that compilers know: a few vectors
  } else {
    copy_row<float>(row, from.frame_stride, to.data(), 1, chunk.count);
  }
}

// Repeats the first value.
NEUTONE_ALWAYS_INLINE void spread(std::size_t count, SvfValues& values) noexcept {
  std::fill_n(values.begin(), count, values[0]);
}

// A channel's values of a control in a chunk, within bounds. NaN becomes the value before, at first `held`, which
// leaves as the last. Returns whether there was none.
NEUTONE_ALWAYS_INLINE bool read_control(const Planar<const float>& control, std::size_t channel, const SvfChunk& chunk,
                                        const SvfRange& range, double& held, SvfValues& to) noexcept {
  SvfCurve<float> raw;
  read_row(control, channel, chunk, raw);
  std::fill_n(raw.begin() + static_cast<std::ptrdiff_t>(chunk.count), chunk.padded() - chunk.count, range.minimum);
  std::uint32_t has_nan = 0;
  for (std::size_t i = 0; i < chunk.padded(); ++i) {
    const float value = raw[i];
    const float raised = value < range.minimum ? range.minimum : value;
    to[i] = static_cast<double>(raised > range.maximum ? range.maximum : raised);
    has_nan |= value != value ? 1U : 0U;
  }
  if (has_nan != 0) {
    double before = range.nearest(held);
    for (std::size_t i = 0; i < chunk.count; ++i) before = to[i] = std::isnan(to[i]) ? before : to[i];
  }
  held = to[chunk.count - 1];
  return has_nan == 0;
}

// Makes band_sum, which has 2R, low_sum and input from the mix, of which the last two hold low and high.
NEUTONE_ALWAYS_INLINE void compute_mix(const SvfValues& band, std::size_t count, SvfCoefficients& to) noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    to.band_sum[i] *= 0.5 * (band[i] - to.input[i]);
    to.low_sum[i] = 0.5 * (to.low_sum[i] - to.input[i]);
  }
}

// A channel's coefficients for a chunk. Returns whether all controls were numbers.
NEUTONE_ALWAYS_INLINE bool prepare(const SvfRun& run, std::size_t channel, const SvfChunk& chunk,
                                   SvfCoefficients& to) noexcept {
  const SvfControls& controls = run.controls;
  SvfState& state = run.states[channel];
  SvfValues cutoff_hz;
  SvfValues resonance;
  SvfValues band;
  const SvfRange cutoff_range = svf_cutoff_hz(run.sample_rate_hz);
  bool is_number = read_control(controls.cutoff_hz, channel, chunk, cutoff_range, state.cutoff_hz, cutoff_hz);
  is_number &= read_control(controls.resonance, channel, chunk, kSvfResonance, state.resonance, resonance);
  is_number &= read_control(controls.mix_band, channel, chunk, kSvfMix, state.mix.band, band);
  is_number &= read_control(controls.mix_low, channel, chunk, kSvfMix, state.mix.low, to.low_sum);
  is_number &= read_control(controls.mix_high, channel, chunk, kSvfMix, state.mix.high, to.input);
  const bool is_constant = controls.cutoff_hz.frame_stride == 0 && controls.resonance.frame_stride == 0;
  compute_steps(cutoff_hz, resonance, run.sample_rate_hz, is_constant ? kSvfGroup : chunk.padded(), to);
  if (is_constant) {
    for (SvfValues* values : {&to.keep, &to.cross, &to.drive, &to.band_sum}) spread(chunk.padded(), *values);
  }
  compute_mix(band, chunk.padded(), to);
  return is_number;
}

}  // namespace kernel
}  // namespace neutone::dsp
