#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "dsp/biquad_section.h"

// At which frequencies filters are designed and looked at, and what they pass there.
namespace neutone::test {

inline constexpr double kCornerDb = 0.001;  // what is promised at corners; float64 reaches 1e-6 at the extremes
inline constexpr std::array kRatesHz{8'000.0, 44'100.0, 48'000.0, 192'000.0};

inline double gain_db(std::span<const dsp::BiquadSection> sections, double normalized_freq) {
  return 20.0 * std::log10(std::abs(dsp::response(sections, normalized_freq)));
}
inline double gain_db(const dsp::BiquadSection& section, double normalized_freq) {
  return gain_db(std::span(&section, 1), normalized_freq);
}

// Cutoffs from 10 Hz to 0.49 of each rate.
inline std::vector<double> cutoffs() {
  std::vector<double> normalized_freqs;
  for (const double rate_hz : kRatesHz) {
    for (const double cutoff_hz : {10.0, 100.0, 1'000.0, 3'500.0}) normalized_freqs.push_back(cutoff_hz / rate_hz);
  }
  for (const double normalized_freq : {0.1, 0.25, 0.4, 0.49}) normalized_freqs.push_back(normalized_freq);
  return normalized_freqs;
}

// At which frequencies responses are looked at: dense near both ends.
inline std::vector<double> grid() {
  constexpr int kCount = 256;
  std::vector<double> normalized_freqs;
  normalized_freqs.reserve(2 * std::size_t{kCount});
  for (int i = 0; i < kCount; ++i) normalized_freqs.push_back(1e-6 * std::pow(0.25 / 1e-6, i / double{kCount}));
  for (int i = kCount; i-- > 0;) normalized_freqs.push_back(0.5 - normalized_freqs[static_cast<std::size_t>(i)]);
  return normalized_freqs;
}

}  // namespace neutone::test
