#include "dsp/biquad_section.h"

#include <array>
#include <cmath>
#include <complex>
#include <cstddef>
#include <limits>
#include <numbers>
#include <random>
#include <span>
#include <vector>

#include "check.h"
#include "dsp/biquad_design.h"
#include "spectrum.h"

using namespace neutone::test;  // NOLINT(google-build-using-namespace): all of it is for these tests
using neutone::dsp::BiquadSection;
using neutone::dsp::FilterBand;
using neutone::dsp::is_stable;
using neutone::dsp::response;

namespace {

using Complex = std::complex<double>;

// H(z) from the definition, in long double and with the exponentials as they are.
Complex slow_response(const BiquadSection& section, double normalized_freq) {
  using Long = long double;
  const Long angle = 2.0L * std::numbers::pi_v<Long> * static_cast<Long>(normalized_freq);
  const std::complex<Long> delay = std::polar(Long{1}, -angle);
  const auto polynomial = [delay](double c0, double c1, double c2) {
    return static_cast<Long>(c0) + delay * (static_cast<Long>(c1) + delay * static_cast<Long>(c2));
  };
  const auto value = polynomial(section.b0, section.b1, section.b2) / polynomial(1.0, section.a1, section.a2);
  return {static_cast<double>(value.real()), static_cast<double>(value.imag())};
}

void the_response_is_that_of_the_definition() {
  // The reference loses digits at low frequencies, 2^-64 of the terms over what remains of their sum: not in
  // 1e-3..0.499.
  constexpr double kRounding = 1e-12;
  std::mt19937_64 random(seed());
  std::uniform_real_distribution<double> coefficient(-2.0, 2.0);
  std::uniform_real_distribution<double> freq(1e-3, 0.499);
  for (int i = 0; i < 2000; ++i) {
    const BiquadSection section{coefficient(random), coefficient(random), coefficient(random),
                                0.4 * coefficient(random), 0.09 * coefficient(random)};
    const double normalized_freq = freq(random);
    CHECK(std::abs(response(section, normalized_freq) - slow_response(section, normalized_freq)) <= kRounding);
  }
}

void the_response_keeps_its_digits_at_both_ends() {
  constexpr double kRounding = 1e-14;
  // (1 - 1/z)^2 has the gain 4 sin^2(w/2), (1 + 1/z)^2 has 4 cos^2(w/2).
  for (const double distance : {1e-9, 1e-6, 1e-3, 0.1}) {
    const double expected = 4.0 * std::pow(std::sin(std::numbers::pi * distance), 2);
    CHECK(std::abs(std::abs(response(BiquadSection{1.0, -2.0, 1.0}, distance)) / expected - 1.0) <= kRounding);
    const double mirrored = 0.5 - distance;  // rounded, so the distance is not what it was
    const double left = 4.0 * std::pow(std::sin(std::numbers::pi * (0.5 - mirrored)), 2);
    CHECK(std::abs(std::abs(response(BiquadSection{1.0, 2.0, 1.0}, mirrored)) / left - 1.0) <= kRounding);
  }
  CHECK(response(BiquadSection{1.0, 2.0, 1.0}, 0.5) == Complex(0.0));
  CHECK(response(BiquadSection{1.0, -2.0, 1.0}, 0.0) == Complex(0.0));
  CHECK(response(std::span<const BiquadSection>(), 0.1) == Complex(1.0));
}

// Direct form I, in double.
std::vector<double> impulse_response(const std::vector<BiquadSection>& sections, std::size_t count) {
  std::vector<double> signal(count);
  signal[0] = 1.0;
  for (const auto& [b0, b1, b2, a1, a2] : sections) {
    std::array<double, 2> x{};
    std::array<double, 2> y{};
    for (double& sample : signal) {
      const double out = b0 * sample + b1 * x[0] + b2 * x[1] - a1 * y[0] - a2 * y[1];
      x = {sample, x[0]};
      y = {out, y[0]};
      sample = out;
    }
  }
  return signal;
}

void the_response_is_the_transform_of_the_impulse_response() {
  constexpr double kRounding = 1e-10;  // of 4096 samples through 16 sections, all decayed
  for (const FilterBand& band : {FilterBand::lowpass(0.1), FilterBand::bandpass(0.05, 0.2)}) {
    const auto sections = neutone::dsp::design_chebyshev1(band, 9, 0.1);
    const std::vector<double> signal = impulse_response(sections, 4096);
    CHECK(std::abs(signal.back()) <= kRounding);
    for (const double normalized_freq : {0.0, 0.01, 0.1, 0.17, 0.3, 0.5}) {
      CHECK(std::abs(spectrum_at(signal, normalized_freq) - response(sections, normalized_freq)) <= kRounding);
    }
  }
}

void stability_is_strict() {
  constexpr double kStep = 0x1p-52;
  CHECK(is_stable({.a1 = -2.0 + 2.0 * kStep, .a2 = 1.0 - kStep}));
  CHECK(!is_stable({.a1 = -2.0 + kStep, .a2 = 1.0 - kStep}));  // a root at z = 1
  CHECK(!is_stable({.a1 = 2.0 - kStep, .a2 = 1.0 - kStep}));   // at z = -1
  CHECK(!is_stable({.a1 = 0.0, .a2 = 1.0}));
  CHECK(!is_stable({.a1 = 0.0, .a2 = -1.0}));
  CHECK(!is_stable({.a1 = 1.0, .a2 = 0.0}));
  CHECK(is_stable({.a1 = 1.0 - kStep, .a2 = 0.0}));
  CHECK(!is_stable({.a1 = std::numeric_limits<double>::quiet_NaN(), .a2 = 0.0}));
  CHECK(!is_stable({.a1 = 0.0, .a2 = std::numeric_limits<double>::infinity()}));
}

}  // namespace

int main() {
  return run_tests({
      TEST(the_response_is_that_of_the_definition),
      TEST(the_response_keeps_its_digits_at_both_ends),
      TEST(the_response_is_the_transform_of_the_impulse_response),
      TEST(stability_is_strict),
  });
}
