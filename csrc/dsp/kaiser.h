#pragma once

#include <cmath>
#include <numbers>

namespace neutone::dsp {

// Modified Bessel function of the first kind, order 0: sum of ((x/2)^k / k!)^2.
[[nodiscard]] inline double bessel_i0(double x) {
  double sum = 1.0;
  double term = 1.0;
  for (int k = 1; term > 1e-18 * sum; ++k) {
    const double factor = 0.5 * x / k;
    term *= factor * factor;
    sum += term;
  }
  return sum;
}

// sin(pi x) / (pi x).
[[nodiscard]] inline double sinc(double x) {
  const double angle = std::numbers::pi * x;
  return std::abs(x) < 1e-9 ? 1.0 : std::sin(angle) / angle;
}

// Kaiser's window at -1..1 of its half width, but for a factor: J. F. Kaiser, "Nonrecursive digital filter design using
// the I0-sinh window function", Proc. IEEE ISCAS 1974, pp. 20-23.
[[nodiscard]] inline double kaiser_window(double beta, double relative) {
  return bessel_i0(beta * std::sqrt(1.0 - relative * relative));
}

}  // namespace neutone::dsp
