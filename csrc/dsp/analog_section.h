#pragma once

#include <complex>

#include "biquad_section.h"

// From analog to digital filters, for biquad_design.cpp and iir_design.cpp only.
namespace neutone::dsp {

// tan(pi f): where the bilinear transform below puts a digital frequency on the analog axis.
[[nodiscard]] double prewarped(double normalized_freq) noexcept;

// tan(pi high) - tan(pi low), accurate also where they are close.
[[nodiscard]] double prewarped_difference(double low_normalized_freq, double high_normalized_freq) noexcept;

// (n2 s^2 + n1 s + n0) / (s^2 + d1 s + d0).
struct AnalogSection {
  double n2 = 0.0;
  double n1 = 0.0;
  double n0 = 0.0;
  double d1 = 0.0;
  double d0 = 0.0;
};

// The bilinear transform s = (1 - 1/z) / (1 + 1/z). Working with polynomials in s, which have no digits to lose at low
// frequencies, leaves one rounding of each coefficient; roots in z, close to 1, would have lost them.
[[nodiscard]] BiquadSection bilinear(const AnalogSection& analog) noexcept;

// The same of (n1 s + n0) / (s + d0), where n2 and d1 are not used.
[[nodiscard]] BiquadSection bilinear_first_order(const AnalogSection& analog) noexcept;

}  // namespace neutone::dsp
