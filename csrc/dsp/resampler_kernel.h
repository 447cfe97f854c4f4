#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "planar.h"
#include "resampler_design.h"
#include "resampler_dot.h"
#include "resampler_walk.h"
#include "simd.h"

// The inner loop of the resampler, to be compiled for one instruction set after the other; for resampler_kernels.cpp
// and the tests of it only.
namespace neutone::dsp::kernel {

// Puts `count` of a group's sums to `out`, from its frame `first` on.
template <typename Real>
NEUTONE_ALWAYS_INLINE void store(const Real* sums, std::size_t count, float* out, std::ptrdiff_t stride,
                                 std::size_t first) noexcept {
  if (count == kGroupRows && stride == 1) {
    std::array<float, kGroupRows> frames{};
    for (std::size_t i = 0; i < kGroupRows; ++i) frames[i] = static_cast<float>(sums[i]);
    std::memcpy(out + first, frames.data(), sizeof(frames));
    return;
  }
  for (std::size_t i = 0; i < count; ++i) {
    out[static_cast<std::ptrdiff_t>(first + i) * stride] = static_cast<float>(sums[i]);
  }
}

// Collects whether all of many values are finite: zero times them is.
template <typename Real>
class FiniteCheck {
 public:
  NEUTONE_ALWAYS_INLINE void add(const std::array<Real, kSums>& values) noexcept {
    Vector<Real, kSums> all;
    load(values.data(), all);
    zeros_ += all * Vector<Real, kSums>{};
  }
  [[nodiscard]] NEUTONE_ALWAYS_INLINE bool passed() const noexcept {
    Real sum = Real(0);
    for (std::size_t lane = 0; lane < kSums; ++lane) sum += zeros_[lane];
    return sum == Real(0);
  }

 private:
  Vector<Real, kSums> zeros_{};
};

// Every output frame has a row of its own. Returns whether all sums were finite.
template <typename Real, std::size_t Lanes, std::size_t Channels, bool kMasked>
NEUTONE_ALWAYS_INLINE bool run_exact(const FilterRun<Real>& run, std::size_t channel,
                                     const Planar<float>& out) noexcept {
  const Layout layout{run.plan.taps, 2 * run.plan.half_taps, run.history.channel_stride};
  GroupWalk<Real, Channels, kMasked> walk(run, channel);
  FiniteCheck<Real> finite;
  auto skipped = static_cast<std::size_t>(run.row) % kGroupRows;  // of the first group
  for (std::size_t frame = 0; frame < out.frames;) {
    Groups<Real, Channels> groups;
    std::array<std::size_t, groups.size()> counts{};
    std::size_t covered = 0;
    for (std::size_t g = 0; g < groups.size(); ++g) {
      if (g > 0 && frame + covered >= out.frames) {  // nothing is left for this one: the same again
        groups[g] = groups[0];
        continue;
      }
      counts[g] = std::min(walk.next(groups[g]) - (g == 0 ? skipped : 0), out.frames - frame - covered);
      covered += counts[g];
    }
    std::array<Real, kSums> sums{};
    dot<Real, Lanes, Channels, kMasked>(groups, layout, sums);
    finite.add(sums);
    for (std::size_t g = 0; g < groups.size(); ++g) {
      for (std::size_t c = 0; c < Channels; ++c) {
        const Real* const first_sum = sums.data() + (g * Channels + c) * kGroupRows + skipped;
        store<Real>(first_sum, counts[g], out.row(channel + c), out.frame_stride, frame);
      }
      frame += counts[g];
      skipped = 0;
    }
  }
  return finite.passed();
}

// Lagrange's polynomial through four points at -1, 0, 1, 2, as weights of their values at 0 <= t <= 1.
template <typename Real>
NEUTONE_ALWAYS_INLINE std::array<Real, kGroupRows> cubic_weights(double t) noexcept {
  const double before = t + 1.0;
  const double after = t - 1.0;
  const double beyond = t - 2.0;
  return {static_cast<Real>(-t * after * beyond / 6.0), static_cast<Real>(before * after * beyond / 2.0),
          static_cast<Real>(-before * t * beyond / 2.0), static_cast<Real>(before * t * after / 6.0)};
}

// An output frame lies between two rows: the sums with the four rows around it are interpolated, which is the same as
// interpolating the coefficients. Returns whether all sums were finite.
template <typename Real, std::size_t Lanes, std::size_t Channels, bool kMasked>
NEUTONE_ALWAYS_INLINE bool run_interpolated(const FilterRun<Real>& run, std::size_t channel,
                                            const Planar<float>& out) noexcept {
  const Layout layout{run.plan.taps, 2 * run.plan.half_taps, run.history.channel_stride};
  const auto phases = static_cast<std::int64_t>(run.plan.rows - kExtraRows);
  const std::int64_t up = run.plan.up;
  Walk<1> walk(run.plan, run.position);
  FiniteCheck<Real> finite;
  for (std::size_t frame = 0; frame < out.frames;) {
    Groups<Real, Channels> groups;
    std::array<std::array<Real, kGroupRows>, groups.size()> weights{};
    const std::size_t count = std::min(groups.size(), out.frames - frame);
    for (std::size_t g = 0; g < groups.size(); ++g) {
      if (g >= count) {  // nothing is left for this one: the same again
        groups[g] = groups[0];
        continue;
      }
      const std::int64_t place = (walk.part() + 1) * phases;
      const std::int64_t row = std::min(place / up, phases - 1);
      weights[g] = cubic_weights<Real>(static_cast<double>(place - row * up) / static_cast<double>(up));
      groups[g].rows = run.table + static_cast<std::size_t>(row) * run.plan.taps;
      groups[g].window = window_of(run, channel, walk.last_frame());
      walk.advance();
    }
    std::array<Real, kSums> sums{};
    dot<Real, Lanes, Channels, kMasked>(groups, layout, sums);
    finite.add(sums);
    for (std::size_t g = 0; g < count; ++g, ++frame) {
      for (std::size_t c = 0; c < Channels; ++c) {
        Real value = Real(0);
        for (std::size_t i = 0; i < kGroupRows; ++i) {
          value += weights[g][i] * sums[(g * Channels + c) * kGroupRows + i];
        }
        out.row(channel + c)[static_cast<std::ptrdiff_t>(frame) * out.frame_stride] = static_cast<float>(value);
      }
    }
  }
  return finite.passed();
}

template <typename Real, std::size_t Lanes, std::size_t Channels>
NEUTONE_ALWAYS_INLINE void run_channels(const FilterRun<Real>& run, std::size_t channel,
                                        const Planar<float>& out) noexcept {
  if (run.plan.is_exact()) {
    if (!run_exact<Real, Lanes, Channels, false>(run, channel, out)) {
      run_exact<Real, Lanes, Channels, true>(run, channel, out);
    }
  } else if (!run_interpolated<Real, Lanes, Channels, false>(run, channel, out)) {
    run_interpolated<Real, Lanes, Channels, true>(run, channel, out);
  }
}

// Filters the first `out.channels` channels of the history; out.frames frames, whose windows must be there.
template <typename Real, std::size_t Lanes>
NEUTONE_ALWAYS_INLINE void run_filter(const FilterRun<Real>& run, const Planar<float>& out) noexcept {
  std::size_t channel = 0;
  for (; channel + 2 <= out.channels; channel += 2) run_channels<Real, Lanes, 2>(run, channel, out);
  if (channel < out.channels) run_channels<Real, Lanes, 1>(run, channel, out);
}

}  // namespace neutone::dsp::kernel
