#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "parameters.h"
#include "planar.h"
#include "realtime.h"
#include "spsc_ring.h"

// Parameters on their way to a model: the host's values wait in a ring of their own, and are brought to the model's
// rate when it takes the audio that they belong to.
namespace neutone::dsp {

// Where the frames of a model lie among the values of a host: `down / up` values after each other, the first `part /
// up` behind the oldest value. All in integers, so nothing drifts.
struct ControlTimes {
  std::int64_t up = 1;
  std::int64_t down = 1;
  std::int64_t part = 0;

  // The value at or before a frame.
  [[nodiscard]] std::size_t place(std::size_t frame) const noexcept {
    return static_cast<std::size_t>((part + static_cast<std::int64_t>(frame) * down) / up);
  }
  // Values that `frames` frames, at least one, lie between, or on: the last, too, needs one on either side.
  [[nodiscard]] std::size_t values_around(std::size_t frames) const noexcept {
    return static_cast<std::size_t>((part + static_cast<std::int64_t>(frames - 1) * down + up - 1) / up) + 1;
  }
  // Values from place(0) on whose mean stands for a block of frames: those before the frame behind the last, at least
  // one.
  [[nodiscard]] std::size_t n_averaged(std::size_t frames) const noexcept {
    return std::max<std::size_t>(1, place(frames) - place(0));
  }
};

// Queues values of a host, cleaned, for which the ring has room: `n_before` times the first of each, then all.
// [producer, no allocation]
inline void write_controls(const Planar<const float>& controls, std::size_t n_before,
                           RingView<float>& ring) noexcept NEUTONE_NONBLOCKING {
  const std::size_t frames = n_before + controls.frames;
  const RingView<float>::Region room = ring.reserve(frames);
  const Planar<const float> last = ring.last_written();
  for (std::size_t control = 0; control < ring.channels(); ++control) {
    float before = *last.row(control);
    const float* const values = controls.row(control);
    const auto write = [&](const RingView<float>::Region& to, const float* from, std::ptrdiff_t stride) {
      for (const Planar<float>& part : {to.head, to.tail}) {
        before = copy_cleaned(from, stride, part.row(control), part.frames, before);
        from += static_cast<std::ptrdiff_t>(part.frames) * stride;
      }
    };
    if (controls.frames > 0) write(room.slice_frames(0, n_before), values, 0);
    write(room.slice_frames(n_before, controls.frames), values, controls.frame_stride);
  }
  ring.publish(frames);
}

// The means over a block. `values` has at least place(0) + n_averaged(frames) of them, `out` one frame.
inline void average_controls(const RingView<float>::Region& values, const ControlTimes& times, std::size_t frames,
                             const Planar<float>& out) noexcept NEUTONE_NONBLOCKING {
  const RingView<float>::Region block = values.slice_frames(times.place(0), times.n_averaged(frames));
  for (std::size_t control = 0; control < out.channels; ++control) {
    CurveMean curve;
    for (const Planar<float>& part : {block.head, block.tail}) curve.add(part.row(control), 1, part.frames);
    *out.row(control) = curve.mean();
  }
}

// The two values that each of some frames lies between, and at which part of their distance.
struct BetweenControls {
  static constexpr std::size_t kFrames = 64;
  std::size_t count = 0;
  std::size_t first = 0;  // the other two count from here
  std::array<std::uint32_t, kFrames> before{};
  std::array<std::uint32_t, kFrames> after{};
  std::array<float, kFrames> part{};

  // The next `frames` frames from `times` on, which is moved behind them.
  BetweenControls(ControlTimes& times, std::size_t frames) noexcept : count(frames), first(times.place(0)) {
    const std::int64_t whole_step = times.down / times.up;
    const std::int64_t part_step = times.down % times.up;
    const float scale = 1.0F / static_cast<float>(times.up);
    std::int64_t place = 0;
    std::int64_t rest = times.part % times.up;
    for (std::size_t i = 0; i < frames; ++i) {
      before[i] = static_cast<std::uint32_t>(place);
      after[i] = static_cast<std::uint32_t>(rest > 0 ? place + 1 : place);
      part[i] = static_cast<float>(rest) * scale;
      place += whole_step;
      rest += part_step;
      if (rest >= times.up) {
        rest -= times.up;
        ++place;
      }
    }
    times.part += static_cast<std::int64_t>(frames) * times.down;
  }

  [[nodiscard]] std::size_t last() const noexcept { return first + after[count - 1]; }

  // `value_at(i)` is the i-th value from `first` on.
  template <typename ValueAt>
  void write(const ValueAt& value_at, bool is_stepped, float* out) const noexcept {
    if (is_stepped) {
      for (std::size_t i = 0; i < count; ++i) out[i] = value_at(part[i] < 0.5F ? before[i] : after[i]);
      return;
    }
    for (std::size_t i = 0; i < count; ++i) {
      const float low = value_at(before[i]);
      out[i] = low + part[i] * (value_at(after[i]) - low);
    }
  }
};

// A curve with a value at every frame: on the straight line between the two values around it, or the nearer of the two
// where the curve is stepped. `values` has values_around(out.frames) of them, `out` a frame stride of 1.
inline void carry_controls(const RingView<float>::Region& values, ControlTimes times, std::span<const bool> are_stepped,
                           const Planar<float>& out) noexcept NEUTONE_NONBLOCKING {
  if (times.up == times.down) {
    values.slice_frames(times.place(0), out.frames).each_part(out, [](const auto& to, const auto& part) {
      copy_frames<float>(part, to);
    });
    return;
  }
  const std::size_t wrap = values.head.frames;
  for (std::size_t start = 0; start < out.frames; start += BetweenControls::kFrames) {
    const BetweenControls between(times, std::min(BetweenControls::kFrames, out.frames - start));
    const std::size_t first = between.first;
    for (std::size_t control = 0; control < out.channels; ++control) {
      float* const to = out.row(control) + start;
      const float* const head = values.head.row(control);
      const float* const tail = values.tail.row(control);
      if (between.last() < wrap) {
        between.write([from = head + first](std::size_t i) { return from[i]; }, are_stepped[control], to);
      } else if (first >= wrap) {
        between.write([from = tail + (first - wrap)](std::size_t i) { return from[i]; }, are_stepped[control], to);
      } else {
        const auto value_at = [=](std::size_t i) {
          return first + i < wrap ? head[first + i] : tail[first + i - wrap];
        };
        between.write(value_at, are_stepped[control], to);
      }
    }
  }
}

}  // namespace neutone::dsp
