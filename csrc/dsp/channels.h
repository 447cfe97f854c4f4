#pragma once

#include "planar.h"
#include "realtime.h"

namespace neutone::dsp {

// True if `fit_channels` knows how to turn `in` channels into `out` channels.
[[nodiscard]] constexpr bool can_fit_channels(std::size_t in, std::size_t out) noexcept {
  return in == out || (in == 1 && out == 2) || (in == 2 && out == 1);
}

// Copies `out.frames` frames and fits mono to stereo by repeating the channel, stereo to mono by the mean of the two
// (so that a mono signal survives the round trip bit for bit). The pair of channel counts must satisfy
// can_fit_channels.
template <typename Sample>
void fit_channels(Planar<const std::type_identity_t<Sample>> in, Planar<Sample> out) noexcept NEUTONE_NONBLOCKING {
  if (in.channels == out.channels) {
    copy_frames<Sample>(in, out);
    return;
  }
  if (in.channels == 1) {
    for (std::size_t channel = 0; channel < out.channels; ++channel) {
      copy_row<Sample>(in.row(0), in.frame_stride, out.row(channel), out.frame_stride, out.frames);
    }
    return;
  }
  const Sample* left = in.row(0);
  const Sample* right = in.row(1);
  Sample* mono = out.row(0);
  if (in.frame_stride == 1 && out.frame_stride == 1) {  // the same sum, in the form that compilers vectorise
    for (std::size_t frame = 0; frame < out.frames; ++frame) mono[frame] = Sample(0.5) * (left[frame] + right[frame]);
    return;
  }
  for (std::size_t frame = 0; frame < out.frames; ++frame) {
    *mono = Sample(0.5) * (*left + *right);
    left += in.frame_stride;
    right += in.frame_stride;
    mono += out.frame_stride;
  }
}

}  // namespace neutone::dsp
