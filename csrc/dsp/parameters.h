#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "curve_kernels.h"
#include "realtime.h"

namespace neutone::dsp {

// Sums up a parameter's curve, which may come in parts. Several double sums side by side; which of them a value goes
// to depends on its place in the curve alone, so equal curves give equal bits however they are cut.
class CurveMean {
 public:
  void add(const float* values, std::ptrdiff_t stride, std::size_t count) noexcept NEUTONE_NONBLOCKING {
    for (; count > 0 && count_ % kCurveLanes != 0; --count, values += stride) add_one(*values);
    if (stride == 1) {
      const std::size_t groups = count / kCurveLanes;
      curve_kernel().add_up(values, groups, sums_);
      values += groups * kCurveLanes;
      count_ += groups * kCurveLanes;
      count -= groups * kCurveLanes;
    }
    for (; count > 0; --count, values += stride) add_one(*values);
  }

  // Of all values so far, at least one.
  [[nodiscard]] float mean() const noexcept NEUTONE_NONBLOCKING {
    double total = 0.0;
    for (const double sum : sums_) total += sum;
    return static_cast<float>(total / static_cast<double>(count_));
  }

 private:
  void add_one(float value) noexcept { sums_[count_++ % kCurveLanes] += static_cast<double>(value); }

  CurveSums sums_{};
  std::size_t count_ = 0;
};

// Mean of a whole curve of at least one sample.
[[nodiscard]] inline float mean(const float* values, std::ptrdiff_t stride,
                                std::size_t count) noexcept NEUTONE_NONBLOCKING {
  CurveMean curve;
  curve.add(values, stride, count);
  return curve.mean();
}

// What may stand for a whole curve.
enum class Aggregation : std::uint8_t { kMean, kLast, kMinimum, kMaximum };

// Of at least one sample.
[[nodiscard]] inline float aggregate(Aggregation how, const float* values, std::ptrdiff_t stride,
                                     std::size_t count) noexcept NEUTONE_NONBLOCKING {
  if (how == Aggregation::kMean) return mean(values, stride, count);
  const float* const last = values + static_cast<std::ptrdiff_t>(count - 1) * stride;
  if (how == Aggregation::kLast) return *last;
  float extreme = *values;
  for (; values != last; values += stride) {
    const float next = values[stride];
    extreme = how == Aggregation::kMinimum ? std::min(extreme, next) : std::max(extreme, next);
  }
  return extreme;
}

// A host's value as a parameter takes it: in 0..1, and what is not a number is the value before.
[[nodiscard]] inline float cleaned(float value, float before) noexcept NEUTONE_NONBLOCKING {
  return std::isnan(value) ? before : std::clamp(value, 0.0F, 1.0F);
}

// Copies a curve like that; `before` is the value before its first. Returns its last value, `before` if it has none.
inline float copy_cleaned(const float* in, std::ptrdiff_t stride, float* out, std::size_t count,
                          float before) noexcept NEUTONE_NONBLOCKING {
  if (count == 0) return before;
  if (stride == 0) {
    std::fill_n(out, count, cleaned(*in, before));
    return *out;
  }
  if (stride == 1 && curve_kernel().are_clean(in, count)) {
    std::memcpy(out, in, count * sizeof(float));
    return in[count - 1];
  }
  for (std::size_t i = 0; i < count; ++i, in += stride) out[i] = before = cleaned(*in, before);
  return before;
}

// Mean of a whole curve, cleaned. `before` is the value before its first, and becomes its last.
[[nodiscard]] inline float mean_cleaned(const float* values, std::ptrdiff_t stride, std::size_t count,
                                        float& before) noexcept NEUTONE_NONBLOCKING {
  if (stride == 1 && count > 0 && curve_kernel().are_clean(values, count)) {
    before = values[count - 1];
    return mean(values, 1, count);
  }
  std::array<float, 256> part;  // NOLINT(*-member-init): written before it is read
  CurveMean curve;
  while (count > 0) {
    const std::size_t taken = std::min(count, part.size());
    before = copy_cleaned(values, stride, part.data(), taken, before);
    curve.add(part.data(), 1, taken);
    values += static_cast<std::ptrdiff_t>(taken) * stride;
    count -= taken;
  }
  return curve.mean();
}

// The range that a host's 0..1 stands for.
struct ParameterRange {
  float minimum = 0.0F;
  float maximum = 1.0F;
  bool is_categorical = false;  // whole numbers only: rounds to the nearest

  // The ends are hit exactly: 0 gives `minimum`, 1 gives `maximum`.
  [[nodiscard]] float from_0to1(float value) const noexcept NEUTONE_NONBLOCKING {
    const float mapped = minimum * (1.0F - value) + maximum * value;
    return is_categorical ? std::nearbyint(mapped) : mapped;
  }
};

}  // namespace neutone::dsp
