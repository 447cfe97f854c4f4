#pragma once

#include <cstddef>
#include <cstdint>

#include "buffer.h"
#include "check.h"
#include "dsp/planar.h"
#include "dsp/spsc_ring.h"

namespace neutone::test {

inline constexpr std::uint64_t kStampPeriod = 65521;  // longer than any ring of these tests and no power of two

// What frame number `frame` of a stream holds: a whole number that says which frame and channel it is, exact in float.
[[nodiscard]] inline float stamp(std::size_t channel, std::uint64_t frame) noexcept {
  return static_cast<float>(frame % kStampPeriod + kStampPeriod * channel);
}

inline void fill_stamps(dsp::Planar<float> out, std::uint64_t first) {
  for (std::size_t channel = 0; channel < out.channels; ++channel) {
    for (std::size_t frame = 0; frame < out.frames; ++frame) at(out, channel, frame) = stamp(channel, first + frame);
  }
}

[[nodiscard]] inline Buffer stamped(std::size_t channels, std::size_t frames, std::uint64_t first,
                                    Layout layout = Layout::kContiguous) {
  Buffer buffer(channels, frames, layout);
  fill_stamps(buffer.planar(), first);
  return buffer;
}

// Fails the test unless the frames are `first`, `first` + 1, ...
inline void check_stamps(dsp::Planar<const float> audio, std::uint64_t first) {
  for (std::size_t channel = 0; channel < audio.channels; ++channel) {
    for (std::size_t frame = 0; frame < audio.frames; ++frame) {
      CHECK(at(audio, channel, frame) == stamp(channel, first + frame));
    }
  }
}

// Writes and reads both channels of a stereo ring; the test itself counts the frames.
inline std::size_t write_stamps(dsp::RingView<float>& ring, std::size_t frames, std::uint64_t first) {
  return ring.write(stamped(2, frames, first).planar());
}

inline void check_next(dsp::RingView<float>& ring, std::size_t frames, std::uint64_t first) {
  const Buffer out(2, frames);
  CHECK(ring.read(out.planar()) == frames);
  check_stamps(out.planar(), first);
}

}  // namespace neutone::test
