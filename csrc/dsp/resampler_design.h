#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace neutone::dsp {

inline constexpr std::int64_t kMaxRateHz = 768'000;
inline constexpr std::int64_t kMaxRateRatio = 256;

enum class ResamplerQuality : std::uint8_t { kLowLatency, kStandard, kHigh };

// What a resampler does, in numbers. One frame out corresponds to `down / up` frames in.
struct ResamplerPlan {
  std::int64_t up = 1;
  std::int64_t down = 1;
  std::size_t half_taps = 1;  // frames of input on either side of an output frame
  std::size_t taps = 1;       // of a row of the table: 2 * half_taps and zeros before them, a multiple of kTapsMultiple
  std::size_t rows = 1;       // `up` if exact, otherwise kExtraRows more than it has phases to interpolate between

  [[nodiscard]] bool is_wire() const noexcept { return up == down; }
  [[nodiscard]] bool is_exact() const noexcept { return std::cmp_equal(rows, up); }
};

// Kernels work on so many taps at once.
inline constexpr std::size_t kTapsMultiple = 8;
// An interpolated table has a row before its first phase and two behind its last.
inline constexpr std::size_t kExtraRows = 3;

// Throws std::invalid_argument if a rate is outside 1..kMaxRateHz, or one is over kMaxRateRatio times the other.
[[nodiscard]] ResamplerPlan plan_resampler(std::int64_t from_hz, std::int64_t to_hz, ResamplerQuality quality);

// The filter's coefficients, `rows` by `taps`, oldest frame first. [allocates]
[[nodiscard]] std::vector<double> design_resampler(const ResamplerPlan& plan, ResamplerQuality quality);

}  // namespace neutone::dsp
