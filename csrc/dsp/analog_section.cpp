#include "analog_section.h"

#include <cmath>
#include <numbers>

namespace neutone::dsp {

double prewarped(double normalized_freq) noexcept {
  const detail::HalfAngle half(normalized_freq);
  return half.sin / half.cos;
}

double prewarped_difference(double low_normalized_freq, double high_normalized_freq) noexcept {
  const double distance = std::numbers::pi * (high_normalized_freq - low_normalized_freq);
  return std::sin(distance) /
         (detail::HalfAngle(low_normalized_freq).cos * detail::HalfAngle(high_normalized_freq).cos);
}

namespace {

// The middle coefficient of three, from the sum of all at z = 1 and that with alternating signs at z = -1. Of these two
// the smaller one, which decides on roots near there, keeps the digits that rounding leaves to it.
double middle(double first, double last, double at_zero, double at_nyquist) noexcept {
  return at_zero < at_nyquist ? -sum_of_three(first, last, -at_zero) : sum_of_three(first, last, -at_nyquist);
}

}  // namespace

BiquadSection bilinear(const AnalogSection& analog) noexcept {
  const auto& [n2, n1, n0, d1, d0] = analog;
  const double scale = 1.0 + d1 + d0;
  BiquadSection section{.b0 = (n2 + n1 + n0) / scale, .b2 = (n2 - n1 + n0) / scale, .a2 = (1.0 - d1 + d0) / scale};
  section.b1 = middle(section.b0, section.b2, 4.0 * n0 / scale, 4.0 * n2 / scale);
  section.a1 = middle(1.0, section.a2, 4.0 * d0 / scale, 4.0 / scale);
  if (n1 == 0.0 && n2 < n0 / d0) {
    // Low-pass: the gain at 0 is that of the coefficients as they are now, to the last digits.
    const double correction =
        n0 / d0 * sum_of_three(1.0, section.a1, section.a2) / sum_of_three(section.b0, section.b1, section.b2);
    for (double* const coefficient : {&section.b0, &section.b1, &section.b2}) *coefficient *= correction;
  }
  return section;
}

BiquadSection bilinear_first_order(const AnalogSection& analog) noexcept {
  const double scale = 1.0 + analog.d0;
  BiquadSection section{
      .b0 = (analog.n1 + analog.n0) / scale, .b1 = (analog.n0 - analog.n1) / scale, .a1 = (analog.d0 - 1.0) / scale};
  if (analog.n1 == 0.0) section.b0 = section.b1 = 0.5 * (analog.n0 / analog.d0) * (1.0 + section.a1);  // likewise
  return section;
}

}  // namespace neutone::dsp
