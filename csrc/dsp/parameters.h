#pragma once

#include <array>
#include <cmath>
#include <cstddef>

namespace neutone::dsp {

// Mean of a parameter's curve over a block of at least one sample. Eight double sums side by side, which compilers
// vectorise; their order depends on the length alone, so equal blocks give equal bits.
[[nodiscard]] inline float mean(const float* values, std::ptrdiff_t stride, std::size_t count) noexcept {
  constexpr std::size_t kLanes = 8;
  std::array<double, kLanes> sums{};
  std::size_t i = 0;
  if (stride == 1) {
    for (; i + kLanes <= count; i += kLanes) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) sums[lane] += static_cast<double>(values[i + lane]);
    }
  } else {
    for (; i + kLanes <= count; i += kLanes) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        sums[lane] += static_cast<double>(values[static_cast<std::ptrdiff_t>(i + lane) * stride]);
      }
    }
  }
  for (std::size_t lane = 0; lane < count % kLanes; ++lane) {
    sums[lane] += static_cast<double>(values[static_cast<std::ptrdiff_t>(i + lane) * stride]);
  }
  double total = 0.0;
  for (const double sum : sums) total += sum;
  return static_cast<float>(total / static_cast<double>(count));
}

// The range that a host's 0..1 stands for.
struct ParameterRange {
  float minimum = 0.0F;
  float maximum = 1.0F;
  bool is_categorical = false;  // whole numbers only: rounds to the nearest

  // The ends are hit exactly: 0 gives `minimum`, 1 gives `maximum`.
  [[nodiscard]] float from_0to1(float value) const noexcept {
    const float mapped = minimum * (1.0F - value) + maximum * value;
    return is_categorical ? std::nearbyint(mapped) : mapped;
  }
};

}  // namespace neutone::dsp
