#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstring>

#include "planar.h"
#include "simd.h"
#include "svf_coefficients.h"
#include "svf_design.h"

// The state-variable filter, to be compiled for one instruction set after the other; for svf_kernels.cpp and the tests
// of it only. Audio is filtered in chunks: coefficients of all frames first, then the recursion, then the mix. All but
// the recursion are loops that compilers vectorise, over whole groups of frames, so that every frame takes the same
// instructions wherever the stream is cut.
namespace neutone::dsp::kernel {

inline constexpr std::size_t kSvfLanes = 2;  // channels that take a recursion together

// The channels that take a recursion together, frame by frame. An odd channel runs in both lanes.
struct SvfLanes {
  std::array<std::size_t, kSvfLanes> channels;
  std::array<const SvfCoefficients*, kSvfLanes> coefficients;
  std::array<SvfValues, kSvfLanes> input;
  std::array<SvfValues, kSvfLanes> band_sums;
  std::array<SvfValues, kSvfLanes> low_sums;
};

using SvfPair = Vector<double, kSvfLanes>;

// Frames first..end of a chunk.
NEUTONE_ALWAYS_INLINE void recurse(SvfLanes& lanes, std::size_t first, std::size_t end, SvfPair& band,
                                   SvfPair& low) noexcept {
  const SvfCoefficients& a = *lanes.coefficients[0];
  const SvfCoefficients& b = *lanes.coefficients[1];
  SvfPair s1 = band;
  SvfPair s2 = low;
  for (std::size_t i = first; i < end; ++i) {
    const SvfPair cross{a.cross[i], b.cross[i]};
    const SvfPair missing = SvfPair{lanes.input[0][i], lanes.input[1][i]} - s2;
    const SvfPair next_s1 = SvfPair{a.keep[i], b.keep[i]} * s1 + cross * missing;
    const SvfPair next_s2 = (s2 + cross * s1) + SvfPair{a.drive[i], b.drive[i]} * missing;
    const SvfPair band_sum = s1 + next_s1;
    const SvfPair low_sum = s2 + next_s2;
    for (std::size_t lane = 0; lane < kSvfLanes; ++lane) {
      lanes.band_sums[lane][i] = band_sum[lane];
      lanes.low_sums[lane][i] = low_sum[lane];
    }
    s1 = next_s1;
    s2 = next_s2;
  }
  band = s1;
  low = s2;
}

[[nodiscard]] NEUTONE_ALWAYS_INLINE bool is_finite(const SvfPair& band, const SvfPair& low, std::size_t lane) noexcept {
  return std::isfinite(band[lane]) && std::isfinite(low[lane]);
}

// The recursion over a chunk. A channel whose state is not finite after a frame starts anew with the next one. What is
// not finite stays so: a look at the end of the chunk tells whether there was any, and only then is it gone through
// frame by frame, by the same instructions.
NEUTONE_ALWAYS_INLINE void recurse_guarded(SvfLanes& lanes, std::size_t count, SvfState* states) noexcept {
  SvfState& first_state = states[lanes.channels[0]];
  SvfState& second_state = states[lanes.channels[1]];
  SvfPair band{first_state.band, second_state.band};
  SvfPair low{first_state.low, second_state.low};
  std::size_t stride = count;
  for (std::size_t first = 0; first < count;) {
    SvfPair next_band = band;
    SvfPair next_low = low;
    recurse(lanes, first, first + stride, next_band, next_low);
    const bool is_good = is_finite(next_band, next_low, 0) && is_finite(next_band, next_low, 1);
    if (!is_good && stride > 1) {
      stride = 1;
      continue;
    }
    const bool keeps_first = is_finite(next_band, next_low, 0);
    const bool keeps_second = is_finite(next_band, next_low, 1);
    band = SvfPair{keeps_first ? next_band[0] : 0.0, keeps_second ? next_band[1] : 0.0};
    low = SvfPair{keeps_first ? next_low[0] : 0.0, keeps_second ? next_low[1] : 0.0};
    first += stride;
  }
  second_state.band = band[1];
  second_state.low = low[1];
  first_state.band = band[0];
  first_state.low = low[0];
}

NEUTONE_ALWAYS_INLINE void read_audio(const Planar<const float>& in, std::size_t channel, const SvfChunk& chunk,
                                      SvfValues& to) noexcept {
  SvfCurve<float> raw;
  read_row(in, channel, chunk, raw);
  std::fill_n(raw.begin() + static_cast<std::ptrdiff_t>(chunk.count), chunk.padded() - chunk.count, 0.0F);
  for (std::size_t i = 0; i < chunk.padded(); ++i) to[i] = static_cast<double>(raw[i]);
}

NEUTONE_ALWAYS_INLINE void write_mix(const SvfLanes& lanes, std::size_t lane, const SvfChunk& chunk,
                                     const Planar<float>& out) noexcept {
  const SvfCoefficients& mix = *lanes.coefficients[lane];
  SvfCurve<float> mixed;
  for (std::size_t i = 0; i < chunk.padded(); ++i) {
    const double filtered = mix.band_sum[i] * lanes.band_sums[lane][i] + mix.low_sum[i] * lanes.low_sums[lane][i];
    mixed[i] = static_cast<float>(filtered + mix.input[i] * lanes.input[lane][i]);
  }
  float* const to = out.row(lanes.channels[lane]) + static_cast<std::ptrdiff_t>(chunk.first) * out.frame_stride;
  if (out.frame_stride == 1 && chunk.count == kSvfChunk) {
    std::memcpy(to, mixed.data(), sizeof(mixed));  // of a size that compilers know: a few vectors
  } else {
    copy_row<float>(mixed.data(), 1, to, out.frame_stride, chunk.count);
  }
}

// Whether one curve of each control serves all channels.
[[nodiscard]] inline bool is_shared(const SvfControls& controls) noexcept {
  return controls.cutoff_hz.channel_stride == 0 && controls.resonance.channel_stride == 0 &&
         controls.mix_band.channel_stride == 0 && controls.mix_low.channel_stride == 0 &&
         controls.mix_high.channel_stride == 0;
}

// Whether no control moves.
[[nodiscard]] inline bool is_still(const SvfControls& controls) noexcept {
  return controls.cutoff_hz.frame_stride == 0 && controls.resonance.frame_stride == 0 &&
         controls.mix_band.frame_stride == 0 && controls.mix_low.frame_stride == 0 &&
         controls.mix_high.frame_stride == 0;
}

// A state that no filter leaves behind becomes that of a fresh one.
inline void mend(SvfState& state) noexcept {
  if (std::isfinite(state.band) && std::isfinite(state.low)) return;
  state.band = 0.0;
  state.low = 0.0;
}

// Remembers the controls of the first channel as those of all.
inline void share_controls(SvfState* states, std::size_t channels) noexcept {
  for (std::size_t channel = 1; channel < channels; ++channel) {
    states[channel].cutoff_hz = states[0].cutoff_hz;
    states[channel].resonance = states[0].resonance;
    states[channel].mix = states[0].mix;
  }
}

NEUTONE_ALWAYS_INLINE void run_svf(const SvfRun& run) noexcept {
  const std::size_t channels = run.in.channels;
  for (std::size_t channel = 0; channel < channels; ++channel) mend(run.states[channel]);
  // NOLINTBEGIN(cppcoreguidelines-pro-type-member-init): zeros would take as long as a short block, and are never read
  std::array<SvfCoefficients, kSvfLanes> coefficients;
  SvfLanes lanes;
  // NOLINTEND(cppcoreguidelines-pro-type-member-init)
  bool serves_all = false;  // the first channel's coefficients
  for (SvfChunk chunk{0, 0}; chunk.first < run.in.frames; chunk.first += chunk.count) {
    chunk.count = std::min(kSvfChunk, run.in.frames - chunk.first);
    const bool is_ready = chunk.first > 0 && serves_all && is_still(run.controls);
    if (!is_ready) serves_all = prepare(run, 0, chunk, coefficients[0]) && is_shared(run.controls);
    if (serves_all) share_controls(run.states, channels);
    for (std::size_t group = 0; group < channels; group += kSvfLanes) {
      const std::size_t used = std::min(kSvfLanes, channels - group);
      for (std::size_t lane = 0; lane < kSvfLanes; ++lane) {
        lanes.channels[lane] = group + std::min(lane, used - 1);
        lanes.coefficients[lane] = &coefficients[serves_all ? 0 : std::min(lane, used - 1)];
        read_audio(run.in, lanes.channels[lane], chunk, lanes.input[lane]);
        if (!serves_all && lane < used && group + lane > 0) prepare(run, group + lane, chunk, coefficients[lane]);
      }
      recurse_guarded(lanes, chunk.count, run.states);
      for (std::size_t lane = 0; lane < used; ++lane) write_mix(lanes, lane, chunk, run.out);
    }
  }
}

}  // namespace neutone::dsp::kernel
