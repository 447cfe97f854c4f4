#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "dsp/planar.h"
#include "dsp/simd.h"

// The inner loop of the resampler, to be compiled for one instruction set after the other; for resampler_kernels.cpp
// and the tests of it only.
namespace neutone::dsp {

// Everything that decides a run of output frames.
template <typename Real>
struct FilterRun {
  const Real* table = nullptr;  // rows of `taps` coefficients, oldest frame first
  std::size_t taps = 0;         // a multiple of kTapsMultiple
  std::int64_t up = 1;
  std::int64_t down = 1;
  std::int64_t phases = 0;  // that an interpolated table has between two frames; 0 if the table is exact
  Planar<const Real> history;
  std::int64_t position = 0;  // the last frame of the first window, in steps of 1/up frames; taps - 1 frames before it
                              // and the last frame of the last window are in the history
};

namespace kernel {

// What is multiplied with what: `kSums / Channels` rows of the table, each with a window of every channel.
template <typename Real, std::size_t Channels>
struct Pairs {
  static constexpr std::size_t kCount = kSums / Channels;
  std::array<const Real*, kCount> rows{};
  std::array<const Real*, kCount> windows{};  // of the first channel
};

template <typename Real, std::size_t Lanes, std::size_t Channels>
NEUTONE_ALWAYS_INLINE void add_products(const Pairs<Real, Channels>& pairs, std::ptrdiff_t channel_stride,
                                        std::size_t tap, std::array<Vector<Real, Lanes>, kSums>& sums) noexcept {
  constexpr std::size_t kCount = Pairs<Real, Channels>::kCount;
  for (std::size_t pair = 0; pair < kCount; ++pair) {
    Vector<Real, Lanes> coefficients;
    load(pairs.rows[pair] + tap, coefficients);
    for (std::size_t channel = 0; channel < Channels; ++channel) {
      Vector<Real, Lanes> frames;
      load(pairs.windows[pair] + static_cast<std::ptrdiff_t>(channel) * channel_stride + tap, frames);
      sums[channel * kCount + pair] += coefficients * frames;
    }
  }
}

// From both ends to the middle: the large coefficients come last, and fewer sums round at full size.
template <typename Real, std::size_t Lanes, std::size_t Channels>
NEUTONE_ALWAYS_INLINE void dot(const Pairs<Real, Channels>& pairs, std::ptrdiff_t channel_stride, std::size_t taps,
                               std::array<Real, kSums>& out) noexcept {
  std::array<Vector<Real, Lanes>, kSums> sums{};
  std::size_t first = 0;
  std::size_t last = taps;
  while (last - first >= 2 * Lanes) {
    last -= Lanes;
    add_products<Real, Lanes, Channels>(pairs, channel_stride, first, sums);
    add_products<Real, Lanes, Channels>(pairs, channel_stride, last, sums);
    first += Lanes;
  }
  if (last - first >= Lanes) {
    add_products<Real, Lanes, Channels>(pairs, channel_stride, first, sums);
    first += Lanes;
  }
  if constexpr (Lanes * sizeof(Real) > 32) {
    std::array<Vector<Real, Lanes / 2>, kSums> halves{};
    for (std::size_t i = 0; i < kSums; ++i) fold<Real, Lanes>(sums[i], halves[i]);
    if (last - first >= Lanes / 2) add_products<Real, Lanes / 2, Channels>(pairs, channel_stride, first, halves);
    sum_lanes<Real, Lanes / 2>(halves, out);
  } else {
    sum_lanes<Real, Lanes>(sums, out);
  }
}

// Walks through the windows of one output frame after the other.
class Walk {
 public:
  template <typename Real>
  NEUTONE_ALWAYS_INLINE explicit Walk(const FilterRun<Real>& run) noexcept
      : up_(run.up),
        whole_step_(run.down / run.up),
        part_step_(run.down % run.up),
        last_(run.position / run.up),
        part_(run.position % run.up) {}

  [[nodiscard]] NEUTONE_ALWAYS_INLINE std::int64_t last_frame() const noexcept { return last_; }
  [[nodiscard]] NEUTONE_ALWAYS_INLINE std::int64_t part() const noexcept { return part_; }
  NEUTONE_ALWAYS_INLINE void advance() noexcept {
    last_ += whole_step_;
    part_ += part_step_;
    if (part_ >= up_) {
      part_ -= up_;
      ++last_;
    }
  }

 private:
  std::int64_t up_;
  std::int64_t whole_step_;
  std::int64_t part_step_;
  std::int64_t last_;
  std::int64_t part_;
};

template <typename Real, std::size_t Channels>
NEUTONE_ALWAYS_INLINE const Real* window_of(const FilterRun<Real>& run, std::size_t channel,
                                            std::int64_t last) noexcept {
  return run.history.row(channel) + (last + 1 - static_cast<std::int64_t>(run.taps));
}

// Puts `count` sums, of which there are kCount in memory, to `out`, from its frame `first` on.
template <typename Real, std::size_t kCount>
NEUTONE_ALWAYS_INLINE void store(const Real* sums, std::size_t count, float* out, std::ptrdiff_t stride,
                                 std::size_t first) noexcept {
  std::array<float, kCount> frames{};
  for (std::size_t i = 0; i < kCount; ++i) frames[i] = static_cast<float>(sums[i]);
  if (count == kCount && stride == 1) {
    std::memcpy(out + first, frames.data(), sizeof(frames));
    return;
  }
  for (std::size_t i = 0; i < count; ++i) out[static_cast<std::ptrdiff_t>(first + i) * stride] = frames[i];
}

// Every output frame has a row of its own: as many frames at once as there are sums.
template <typename Real, std::size_t Lanes, std::size_t Channels>
NEUTONE_ALWAYS_INLINE void run_exact(const FilterRun<Real>& run, std::size_t channel, Planar<float> out) noexcept {
  constexpr std::size_t kCount = Pairs<Real, Channels>::kCount;
  Walk walk(run);
  for (std::size_t frame = 0; frame < out.frames; frame += kCount) {
    const std::size_t count = std::min(kCount, out.frames - frame);
    Pairs<Real, Channels> pairs;
    for (std::size_t i = 0; i < kCount; ++i) {  // behind the end, the last frame again
      pairs.rows[i] = run.table + static_cast<std::size_t>(walk.part()) * run.taps;
      pairs.windows[i] = window_of<Real, Channels>(run, channel, walk.last_frame());
      if (i + 1 < count || i + 1 == kCount) walk.advance();
    }
    std::array<Real, kSums> sums{};
    dot<Real, Lanes, Channels>(pairs, run.history.channel_stride, run.taps, sums);
    for (std::size_t c = 0; c < Channels; ++c) {
      store<Real, kCount>(sums.data() + c * kCount, count, out.row(channel + c), out.frame_stride, frame);
    }
  }
}

// Lagrange's polynomial through four points at -1, 0, 1, 2, as weights of their values at 0 <= t <= 1.
template <typename Real>
NEUTONE_ALWAYS_INLINE std::array<Real, 4> cubic_weights(double t) noexcept {
  const double before = t + 1.0;
  const double after = t - 1.0;
  const double beyond = t - 2.0;
  return {static_cast<Real>(-t * after * beyond / 6.0), static_cast<Real>(before * after * beyond / 2.0),
          static_cast<Real>(-before * t * beyond / 2.0), static_cast<Real>(before * t * after / 6.0)};
}

// An output frame lies between two rows: the sums with the four rows around it are interpolated, which is the same as
// interpolating the coefficients.
template <typename Real, std::size_t Lanes, std::size_t Channels>
NEUTONE_ALWAYS_INLINE void run_interpolated(const FilterRun<Real>& run, std::size_t channel,
                                            Planar<float> out) noexcept {
  constexpr std::size_t kCount = Pairs<Real, Channels>::kCount;
  constexpr std::size_t kPoints = 4;
  Walk walk(run);
  for (std::size_t frame = 0; frame < out.frames; ++frame, walk.advance()) {
    const std::int64_t place = (walk.part() + 1) * run.phases;
    const std::int64_t row = std::min(place / run.up, run.phases - 1);
    const double t = static_cast<double>(place - row * run.up) / static_cast<double>(run.up);
    Pairs<Real, Channels> pairs;
    for (std::size_t i = 0; i < kCount; ++i) {
      pairs.rows[i] = run.table + (static_cast<std::size_t>(row) + i % kPoints) * run.taps;
      pairs.windows[i] = window_of<Real, Channels>(run, channel, walk.last_frame());
    }
    std::array<Real, kSums> sums{};
    dot<Real, Lanes, Channels>(pairs, run.history.channel_stride, run.taps, sums);
    const std::array<Real, kPoints> weights = cubic_weights<Real>(t);
    for (std::size_t c = 0; c < Channels; ++c) {
      Real value = Real(0);
      for (std::size_t i = 0; i < kPoints; ++i) value += weights[i] * sums[c * kCount + i];
      out.row(channel + c)[static_cast<std::ptrdiff_t>(frame) * out.frame_stride] = static_cast<float>(value);
    }
  }
}

// Filters the first `out.channels` channels of the history; out.frames frames, whose windows must be there.
template <typename Real, std::size_t Lanes>
NEUTONE_ALWAYS_INLINE void run_filter(const FilterRun<Real>& run, const Planar<float>& out) noexcept {
  std::size_t channel = 0;
  for (; channel + 2 <= out.channels; channel += 2) {
    if (run.phases == 0) {
      run_exact<Real, Lanes, 2>(run, channel, out);
    } else {
      run_interpolated<Real, Lanes, 2>(run, channel, out);
    }
  }
  if (channel == out.channels) return;
  if (run.phases == 0) {
    run_exact<Real, Lanes, 1>(run, channel, out);
  } else {
    run_interpolated<Real, Lanes, 1>(run, channel, out);
  }
}

}  // namespace kernel
}  // namespace neutone::dsp
