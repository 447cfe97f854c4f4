#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "planar.h"
#include "resampler_design.h"
#include "resampler_dot.h"
#include "simd.h"

// Which rows and windows belong to the next output frames; for resampler_kernel.h and resampler.h only.
namespace neutone::dsp {

// Everything that decides a run of output frames.
template <typename Real>
struct FilterRun {
  const Real* table = nullptr;
  ResamplerPlan plan;
  Planar<const Real> history;  // every window, the frames before it that its group takes, and whatever numbers in
                               // plan.padding() frames behind the newest
  std::int64_t position = 0;   // the last frame of the first window, in steps of 1/up frames
  std::int64_t row = 0;        // of the first output frame, if the table is exact
};

namespace kernel {

// Walks from the window of one output frame to that of the one `kStride` frames later.
template <std::int64_t kStride>
class Walk {
 public:
  NEUTONE_ALWAYS_INLINE Walk(const ResamplerPlan& plan, std::int64_t position) noexcept
      : up_(plan.up),
        down_(plan.down),
        whole_step_(kStride * plan.down / plan.up),
        part_step_(kStride * plan.down % plan.up),
        last_(position / plan.up),
        part_(position % plan.up) {}

  [[nodiscard]] NEUTONE_ALWAYS_INLINE std::int64_t last_frame() const noexcept { return last_; }
  [[nodiscard]] NEUTONE_ALWAYS_INLINE std::int64_t part() const noexcept { return part_; }
  // Frames from this window to the one `count` output frames later.
  [[nodiscard]] NEUTONE_ALWAYS_INLINE std::int64_t distance(std::int64_t count) const noexcept {
    return (part_ + count * down_) / up_;
  }
  NEUTONE_ALWAYS_INLINE void advance() noexcept {
    last_ += whole_step_;
    part_ += part_step_;
    if (part_ >= up_) {
      part_ -= up_;
      ++last_;
    }
  }
  NEUTONE_ALWAYS_INLINE void advance(std::int64_t count) noexcept {
    last_ += distance(count);
    part_ = (part_ + count * down_) % up_;
  }

 private:
  std::int64_t up_;
  std::int64_t down_;
  std::int64_t whole_step_;
  std::int64_t part_step_;
  std::int64_t last_;
  std::int64_t part_;
};

template <typename Real>
NEUTONE_ALWAYS_INLINE const Real* window_of(const FilterRun<Real>& run, std::size_t channel,
                                            std::int64_t last) noexcept {
  return run.history.row(channel) + (last + 1 - 2 * static_cast<std::int64_t>(run.plan.half_taps));
}

// The next groups of output frames, each with its window.
template <typename Real, std::size_t Channels, bool kMasked>
class GroupWalk {
 public:
  NEUTONE_ALWAYS_INLINE GroupWalk(const FilterRun<Real>& run, std::size_t channel) noexcept
      : run_(run),
        channel_(channel),
        row_(run.row - run.row % kRows),
        period_(run.plan.period()),
        walk_(run.plan, run.position - run.row % kRows * run.plan.down) {}

  // Returns how many frames it stands for: fewer than it has rows at the end of a period.
  NEUTONE_ALWAYS_INLINE std::size_t next(Group<Real>& group) noexcept {
    group.rows = run_.table + static_cast<std::size_t>(row_) * run_.plan.taps;
    group.window = window_of(run_, channel_, walk_.last_frame());
    if constexpr (kMasked) {
      for (std::size_t row = 0; row < kGroupRows; ++row) {
        group.first_taps[row] = static_cast<std::size_t>(walk_.distance(static_cast<std::int64_t>(row)));
      }
    }
    const std::int64_t count = std::min(kRows, period_ - row_);
    if (count == kRows) {
      walk_.advance();
    } else {
      walk_.advance(count);
    }
    row_ += count;
    if (row_ == period_) row_ = 0;
    return static_cast<std::size_t>(count);
  }

 private:
  static constexpr auto kRows = static_cast<std::int64_t>(kGroupRows);

  const FilterRun<Real>& run_;
  std::size_t channel_;
  std::int64_t row_;
  std::int64_t period_;
  Walk<kRows> walk_;
};

}  // namespace kernel
}  // namespace neutone::dsp
