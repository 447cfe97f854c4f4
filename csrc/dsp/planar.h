#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <type_traits>

#include "realtime.h"

namespace neutone::dsp {

// Audio as rows of samples, one row a channel, in memory that somebody else owns. A frame is one sample of every
// channel. Strides count samples; a frame stride of 0 repeats one value, which is how a knob stands in for a curve.
template <typename Sample>
struct Planar {
  Sample* data = nullptr;
  std::size_t channels = 0;
  std::size_t frames = 0;
  std::ptrdiff_t channel_stride = 0;
  std::ptrdiff_t frame_stride = 1;

  [[nodiscard]] Sample* row(std::size_t channel) const noexcept {
    return data + static_cast<std::ptrdiff_t>(channel) * channel_stride;
  }

  [[nodiscard]] Planar slice_frames(std::size_t first, std::size_t count) const noexcept {
    return {data + static_cast<std::ptrdiff_t>(first) * frame_stride, channels, count, channel_stride, frame_stride};
  }

  [[nodiscard]] Planar slice_channels(std::size_t first, std::size_t count) const noexcept {
    return {row(first), count, frames, channel_stride, frame_stride};
  }

  // Implicit, as a span becomes a span of const.
  [[nodiscard]] operator Planar<const Sample>() const noexcept  // NOLINT(*-explicit-constructor)
    requires(!std::is_const_v<Sample>)
  {
    return {data, channels, frames, channel_stride, frame_stride};
  }
};

// Copies one row of `frames` samples. Contiguous rows, and values that stand for a row, take the short way.
template <typename Sample>
void copy_row(const Sample* in, std::ptrdiff_t in_stride, Sample* out, std::ptrdiff_t out_stride,
              std::size_t frames) noexcept NEUTONE_NONBLOCKING {
  static_assert(std::is_trivially_copyable_v<Sample>);
  if (frames == 0) return;
  if (in_stride == 1 && out_stride == 1) {
    std::memcpy(out, in, frames * sizeof(Sample));
    return;
  }
  if (in_stride == 0 && out_stride == 1) {
    std::fill_n(out, frames, *in);
    return;
  }
  for (std::size_t frame = 0; frame < frames; ++frame, in += in_stride, out += out_stride) *out = *in;
}

// Copies channel by channel. Both sides have the same channels; `out.frames` frames are copied.
template <typename Sample>
void copy_frames(Planar<const std::type_identity_t<Sample>> in, Planar<Sample> out) noexcept NEUTONE_NONBLOCKING {
  for (std::size_t channel = 0; channel < out.channels; ++channel) {
    copy_row<Sample>(in.row(channel), in.frame_stride, out.row(channel), out.frame_stride, out.frames);
  }
}

// The same between two types of sample.
template <typename In, typename Out>
void convert_frames(const Planar<const In>& in, const Planar<Out>& out) noexcept NEUTONE_NONBLOCKING {
  if constexpr (std::is_same_v<In, Out>) {
    copy_frames<Out>(in, out);
  } else {
    for (std::size_t channel = 0; channel < out.channels; ++channel) {
      const In* from = in.row(channel);
      Out* to = out.row(channel);
      for (std::size_t frame = 0; frame < out.frames; ++frame, from += in.frame_stride, to += out.frame_stride) {
        *to = static_cast<Out>(*from);
      }
    }
  }
}

}  // namespace neutone::dsp
