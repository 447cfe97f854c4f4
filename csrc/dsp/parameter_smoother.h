#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace neutone::dsp {

enum class Smoothing : std::uint8_t { kLinear, kOnePole };

// Turns one value a block into a curve without steps. Plain numbers, because the struct also lies in memory that torch
// owns and saves; zeros are a fresh start, from which the first value is there at once. [one thread at a time]
struct ParameterSmoother {
  double is_started = 0.0;
  double value = 0.0;   // at the end of the last block
  double target = 0.0;  // that the last block was for
  double left = 0.0;    // samples to it, if linear

  // Calls `put(i, value)` for each sample of a block that `next` is meant for.
  //
  // Linear: a new target is reached on a straight line, in `time_samples`, or at the end of the block where that is
  // longer: values that change evenly give a line without a kink. One-pole: the straight line from the last target to
  // this, through y' = y + (1 - exp(-1 / time_samples)) (x - y), the discretisation of a capacitor that is charged
  // through a resistor; a step has gone 63 % of its way after that time, and the block's length.
  template <typename Put>
  void process(Smoothing kind, double time_samples, double next, std::size_t frames, const Put& put) noexcept {
    if (is_started == 0.0 || !std::isfinite(value + target + left)) {
      *this = {1.0, next, next, 0.0};
    }
    if (kind == Smoothing::kOnePole) {
      one_pole(1.0 - std::exp(-1.0 / std::max(time_samples, kShortest)), next, frames, put);
    } else {
      linear(time_samples, next, frames, put);
    }
    target = next;
  }

 private:
  static constexpr double kShortest = 1e-3;  // no time at all

  template <typename Put>
  void linear(double time_samples, double next, std::size_t frames, const Put& put) noexcept {
    const auto block = static_cast<double>(frames);
    if (next != target) left = std::max(std::ceil(time_samples), block);
    const double distance = left > 0.0 ? value - next : 0.0;
    const double slope = left > 0.0 ? distance / left : 0.0;
    for (std::size_t i = 0; i < frames; ++i) {
      const double samples_left = left - static_cast<double>(i + 1);
      put(i, samples_left > 0.0 ? next + slope * samples_left : next);
    }
    left = std::max(0.0, left - block);
    value = next + slope * left;
  }

  template <typename Put>
  void one_pole(double coefficient, double next, std::size_t frames, const Put& put) noexcept {
    const double slope = (next - target) / static_cast<double>(frames);
    for (std::size_t i = 0; i < frames; ++i) {
      const double input = i + 1 == frames ? next : target + slope * static_cast<double>(i + 1);
      value += coefficient * (input - value);
      put(i, value);
    }
  }
};

}  // namespace neutone::dsp
