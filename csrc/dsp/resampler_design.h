#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace neutone::dsp {

inline constexpr std::int64_t kMaxRateHz = 768'000;
inline constexpr std::int64_t kMaxRateRatio = 256;

enum class ResamplerQuality : std::uint8_t { kLowLatency, kStandard, kHigh };

// Kernels work on so many taps at once,
inline constexpr std::size_t kTapsMultiple = 8;
// and on a group of so many neighbouring rows of the table, which share a window of input frames.
inline constexpr std::size_t kGroupRows = 4;
// An interpolated table has a row before its first phase and two behind its last.
inline constexpr std::size_t kExtraRows = 3;

// What a resampler does, in numbers. One frame out corresponds to `down / up` frames in.
struct ResamplerPlan {
  std::int64_t up = 1;
  std::int64_t down = 1;
  std::size_t half_taps = 1;  // frames of input on either side of an output frame
  std::size_t taps = 1;       // of a row of the table: 2 * half_taps, and zeros around them
  std::size_t rows = 1;

  [[nodiscard]] bool is_wire() const noexcept { return up == down; }
  // An exact table has a row for each of a period of output frames, in their order, filled up to whole groups. Each row
  // is meant for the window that the first of its group begins. An interpolated one has its rows in the order of
  // phases.
  [[nodiscard]] bool is_exact() const noexcept { return std::cmp_greater_equal(rows, up); }
  // Output frames after which the phases come again, or a multiple, of an exact table.
  [[nodiscard]] std::int64_t period() const noexcept {
    return static_cast<std::int64_t>(rows) - static_cast<std::int64_t>(rows) % up;
  }
  // Zeros in a row: a window reaches at most so many frames too far.
  [[nodiscard]] std::size_t padding() const noexcept { return is_wire() ? 0 : taps - 2 * half_taps; }
};

// Throws std::invalid_argument if a rate is outside 1..kMaxRateHz, or one is over kMaxRateRatio times the other.
[[nodiscard]] ResamplerPlan plan_resampler(std::int64_t from_hz, std::int64_t to_hz, ResamplerQuality quality);

// The same with an exact table, however large.
[[nodiscard]] ResamplerPlan plan_exact_resampler(std::int64_t from_hz, std::int64_t to_hz, ResamplerQuality quality);

// The filter's coefficients, `rows` by `taps`, oldest frame first. [allocates]
[[nodiscard]] std::vector<double> design_resampler(const ResamplerPlan& plan, ResamplerQuality quality);

}  // namespace neutone::dsp
