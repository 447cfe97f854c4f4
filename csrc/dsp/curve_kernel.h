#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "simd.h"

// What is asked of every value of a parameter's curve, to be compiled for one instruction set after the other; for
// curve_kernels.cpp and the tests of it only. Plain loops without a way out in between: compilers vectorise them.
namespace neutone::dsp {

// Enough for additions, each of which waits for the one before, to overlap.
inline constexpr std::size_t kCurveLanes = 16;
using CurveSums = std::array<double, kCurveLanes>;

namespace kernel {

// Whether all values are in 0..1, by their bits: those of positive numbers are in the order of the numbers, those of
// negative ones and of NaN above. Several maxima side by side, so that no step waits for the one before.
NEUTONE_ALWAYS_INLINE bool are_clean(const float* values, std::size_t count) noexcept {
  constexpr std::size_t kMaxima = 32;
  std::array<std::uint32_t, kMaxima> most{};
  const auto add = [&most](std::size_t lane, float value) {
    most[lane] = std::max(most[lane], std::bit_cast<std::uint32_t>(value));
  };
  for (; count >= kMaxima; values += kMaxima, count -= kMaxima) {
    for (std::size_t lane = 0; lane < kMaxima; ++lane) add(lane, values[lane]);
  }
  for (std::size_t lane = 0; lane < count; ++lane) add(lane, values[lane]);
  for (std::size_t half = kMaxima / 2; half > 0; half /= 2) {
    for (std::size_t lane = 0; lane < half; ++lane) most[lane] = std::max(most[lane], most[lane + half]);
  }
  return most[0] <= std::bit_cast<std::uint32_t>(1.0F);
}

// Adds value i to sum i % kCurveLanes, for so many times kCurveLanes values. The sums are the same bits in any vectors.
NEUTONE_ALWAYS_INLINE void add_up(const float* values, std::size_t groups, CurveSums& sums) noexcept {
  CurveSums local = sums;
  for (; groups > 0; --groups, values += kCurveLanes) {
    for (std::size_t lane = 0; lane < kCurveLanes; ++lane) local[lane] += static_cast<double>(values[lane]);
  }
  sums = local;
}

}  // namespace kernel
}  // namespace neutone::dsp
