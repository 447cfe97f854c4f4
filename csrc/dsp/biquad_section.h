#pragma once

#include <cmath>
#include <complex>
#include <numbers>
#include <span>

namespace neutone::dsp {

// H(z) = (b0 + b1/z + b2/z^2) / (1 + a1/z + a2/z^2). A section of first order has b2 = a2 = 0.
struct BiquadSection {
  double b0 = 1.0;
  double b1 = 0.0;
  double b2 = 0.0;
  double a1 = 0.0;
  double a2 = 0.0;
};

// Whether both poles lie inside the unit circle, strictly: (a1, a2) lies inside the triangle with the corners (0, -1),
// (-2, 1), (2, 1). Poles near z = 1 have a1 near -2 and a2 near 1: there 1 + a1 is exact, and what a2 is added to
// cancels it, so that this decides by the coefficients as they are. False for what is not finite.
[[nodiscard]] inline bool is_stable(const BiquadSection& section) noexcept {
  return std::abs(section.a2) < 1.0 && (1.0 + section.a1) + section.a2 > 0.0 && (1.0 - section.a1) + section.a2 > 0.0;
}

// a + b + c with the rounding error of a + b added back (D. E. Knuth, The Art of Computer Programming, volume 2,
// section 4.2.2, theorem B): accurate even if the three nearly cancel.
[[nodiscard]] inline double sum_of_three(double a, double b, double c) noexcept {
  const double sum = a + b;
  const double b_in_sum = sum - a;
  const double error = (a - (sum - b_in_sum)) + (b - b_in_sum);
  return (sum + c) + error;
}

namespace detail {

// sin and cos of half the angle w = 2 pi normalized_freq per sample.
struct HalfAngle {
  double sin;
  double cos;

  explicit HalfAngle(double normalized_freq) noexcept
      : sin(std::sin(std::numbers::pi * normalized_freq)),
        // Near Nyquist from what is missing to it: that difference is exact, pi * 0.5 is not.
        cos(normalized_freq > 0.25 ? std::sin(std::numbers::pi * (0.5 - normalized_freq))
                                   : std::cos(std::numbers::pi * normalized_freq)) {}
};

// e^jw (c0 + c1 e^-jw + c2 e^-2jw) = c1 + (c0 + c2) cos w + j (c0 - c2) sin w.
inline std::complex<double> polynomial_at(double c0, double c1, double c2, const HalfAngle& half) noexcept {
  const double imaginary = (c0 - c2) * (2.0 * half.sin * half.cos);
  if (half.sin * half.sin <= 0.5) {
    return {sum_of_three(c0, c1, c2) - 2.0 * (c0 + c2) * (half.sin * half.sin), imaginary};
  }
  return {2.0 * (c0 + c2) * (half.cos * half.cos) - sum_of_three(c0, -c1, c2), imaginary};
}

}  // namespace detail

// The frequency response at `normalized_freq` cycles per sample, 0 to 0.5.
//
// At low frequencies the terms of b0 + b1 e^-jw + b2 e^-2jw nearly cancel, those of the denominator, too, and in the
// sum of the exponentials what remains is lost below the rounding of cos w near 1. With cos w = 1 - 2 sin^2(w/2) what
// cancels is a sum of coefficients, which is accurate, and the rest is small of itself; near Nyquist the same holds
// with cos w = 2 cos^2(w/2) - 1. The common factor e^jw of both polynomials is left out.
[[nodiscard]] inline std::complex<double> response(const BiquadSection& section, double normalized_freq) noexcept {
  const detail::HalfAngle half(normalized_freq);
  return detail::polynomial_at(section.b0, section.b1, section.b2, half) /
         detail::polynomial_at(1.0, section.a1, section.a2, half);
}

// The same of sections in series; 1 of none.
[[nodiscard]] inline std::complex<double> response(std::span<const BiquadSection> sections,
                                                   double normalized_freq) noexcept {
  std::complex<double> product = 1.0;
  for (const BiquadSection& section : sections) product *= response(section, normalized_freq);
  return product;
}

}  // namespace neutone::dsp
