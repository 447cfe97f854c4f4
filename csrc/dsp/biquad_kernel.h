#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "biquad_pipeline.h"
#include "planar.h"
#include "simd.h"

// The inner loop of the biquad cascade, to be compiled for one instruction set after the other; for biquad_kernels.cpp
// and the tests of it only.
namespace neutone::dsp::kernel {

// Calls `visit(i, offset of sample i)`; with a constant of 1, which compilers vectorise, if that is the stride.
template <typename Visit>
NEUTONE_ALWAYS_INLINE void each_sample(std::ptrdiff_t stride, std::size_t count, const Visit& visit) noexcept {
  if (stride == 1) {
    for (std::size_t i = 0; i < count; ++i) visit(i, static_cast<std::ptrdiff_t>(i));
  } else {
    for (std::size_t i = 0; i < count; ++i) visit(i, static_cast<std::ptrdiff_t>(i) * stride);
  }
}

[[nodiscard]] NEUTONE_ALWAYS_INLINE bool is_finite(float sample) noexcept {
  constexpr std::uint32_t kExponent = 0x7F800000U;
  return (std::bit_cast<std::uint32_t>(sample) & kExponent) != kExponent;
}

// A sample that is not finite would stay in the state for ever: the filter takes silence for it. Returns whether there
// was one.
NEUTONE_ALWAYS_INLINE bool take_in(const float* in, std::ptrdiff_t stride, Frames& frames, std::size_t count) noexcept {
  unsigned found = 0;
  each_sample(stride, count, [&](std::size_t i, std::ptrdiff_t at) {
    frames[i] = static_cast<double>(in[at]);
    found |= is_finite(in[at]) ? 0U : 1U;
  });
  if (found == 0) return false;
  each_sample(stride, count, [&](std::size_t i, std::ptrdiff_t at) {
    if (!is_finite(in[at])) frames[i] = 0.0;
  });
  return true;
}

NEUTONE_ALWAYS_INLINE void put_out(const Frames& frames, float* out, std::ptrdiff_t stride,
                                   std::size_t count) noexcept {
  each_sample(stride, count, [&](std::size_t i, std::ptrdiff_t at) { out[at] = static_cast<float>(frames[i]); });
}

// A sample that is not finite comes out as it is.
NEUTONE_ALWAYS_INLINE void put_out_finite(const Frames& frames, const float* in, std::ptrdiff_t in_stride, float* out,
                                          std::ptrdiff_t out_stride, std::size_t count) noexcept {
  for (std::size_t i = 0; i < count; ++i, in += in_stride, out += out_stride) {
    *out = is_finite(*in) ? static_cast<float>(frames[i]) : *in;
  }
}

template <bool kPipelined, std::size_t kChannels>
NEUTONE_ALWAYS_INLINE void run_channels(const BiquadRun& run, std::size_t channel, const Planar<const float>& in,
                                        const Planar<float>& out) noexcept {
  std::array<Frames, kChannels> frames;  // NOLINT(*-member-init): written before it is read
  std::array<bool, kChannels> has_other{};
  for (std::size_t start = 0; start < out.frames; start += kBiquadFrames) {
    const std::size_t count = std::min(kBiquadFrames, out.frames - start);
    const Planar<const float> from = in.slice_frames(start, count);
    const Planar<float> to = out.slice_frames(start, count);
    for (std::size_t c = 0; c < kChannels; ++c) {
      has_other[c] = take_in(from.row(channel + c), from.frame_stride, frames[c], count);
    }
    if constexpr (kPipelined) {
      run_pipelines<kChannels>(run, channel, frames, count);
    } else {
      run_one_by_one<kChannels>(run, channel, frames, count);
    }
    for (std::size_t c = 0; c < kChannels; ++c) {
      if (has_other[c]) {
        put_out_finite(frames[c], from.row(channel + c), from.frame_stride, to.row(channel + c), to.frame_stride,
                       count);
      } else {
        put_out(frames[c], to.row(channel + c), to.frame_stride, count);
      }
    }
  }
}

// Both sides have the same channels and frames, and may be the same memory.
template <bool kPipelined>
NEUTONE_ALWAYS_INLINE void run_biquads(const BiquadRun& run, const Planar<const float>& in,
                                       const Planar<float>& out) noexcept {
  std::size_t channel = 0;
  for (; channel + 2 <= out.channels; channel += 2) run_channels<kPipelined, 2>(run, channel, in, out);
  if (channel < out.channels) run_channels<kPipelined, 1>(run, channel, in, out);
}

}  // namespace neutone::dsp::kernel
