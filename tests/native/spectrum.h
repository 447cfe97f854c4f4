#pragma once

#include <complex>
#include <cstddef>
#include <numbers>

namespace neutone::test {

// The transform, by definition, at a frequency in cycles per sample.
template <typename Samples>
[[nodiscard]] std::complex<double> spectrum_at(const Samples& samples, double normalized_freq) {
  std::complex<double> sum = 0.0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double angle = -2.0 * std::numbers::pi * normalized_freq * static_cast<double>(i);
    sum += static_cast<double>(samples[i]) * std::polar(1.0, angle);
  }
  return sum;
}

}  // namespace neutone::test
