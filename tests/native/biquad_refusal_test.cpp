#include <initializer_list>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "check.h"
#include "dsp/biquad_design.h"

using namespace neutone::test;  // NOLINT(google-build-using-namespace): all of it is for these tests
using neutone::dsp::BiquadKind;
using neutone::dsp::design_biquad;
using neutone::dsp::design_butterworth;
using neutone::dsp::design_chebyshev1;
using neutone::dsp::design_chebyshev2;
using neutone::dsp::design_linkwitz_riley;
using neutone::dsp::FilterBand;

namespace {

void frequencies_that_make_no_sense_are_refused_by_name() {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const auto& [freq, text] : std::initializer_list<std::pair<double, std::string>>{
           {0.0, "0"}, {-0.1, "-0.1"}, {0.5, "0.5"}, {48'000.0, "48000"}, {nan, "nan"}}) {
    const std::string rest = " must be above 0 and below 0.5, got " + text;
    check_refused([f = freq] { return design_biquad(BiquadKind::kLowpass, f, 1.0); }, "normalized_freq" + rest);
    check_refused([f = freq] { return FilterBand::lowpass(f); }, "cutoff" + rest);
    check_refused([f = freq] { return FilterBand::highpass(f); }, "cutoff" + rest);
    check_refused([f = freq] { return FilterBand::bandpass(f, 0.2); }, "low" + rest);
    check_refused([f = freq] { return FilterBand::bandstop(0.2, f); }, "high" + rest);
  }
  check_refused([] { return FilterBand::bandpass(0.2, 0.1); }, "low must be below high, got 0.2 and 0.1");
  check_refused([] { return FilterBand::bandstop(0.2, 0.2); }, "low must be below high, got 0.2 and 0.2");
}

void numbers_that_make_no_sense_are_refused_by_name() {
  const FilterBand band = FilterBand::lowpass(0.1);
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double q : {0.0, -1.0, infinity, std::numeric_limits<double>::quiet_NaN()}) {
    check_throws<std::invalid_argument>([q] { static_cast<void>(design_biquad(BiquadKind::kPeak, 0.1, q)); });
  }
  check_refused([] { return design_biquad(BiquadKind::kPeak, 0.1, -1.0, 0.0); },
                "q must be above 0 and finite, got -1");
  check_refused([] { return design_biquad(BiquadKind::kPeak, 0.1, 1.0, 201.0); },
                "gain_db must be in -200..200, got 201");
  check_refused([&] { return design_butterworth(band, 0); }, "order must be in 1..16, got 0");
  check_refused([&] { return design_chebyshev1(band, 17, 1.0); }, "order must be in 1..16, got 17");
  check_refused([&] { return design_linkwitz_riley(band, 3); }, "order must be even and in 2..16, got 3");
  check_refused([&] { return design_linkwitz_riley(band, 18); }, "order must be even and in 2..16, got 18");
  check_refused([] { return design_linkwitz_riley(FilterBand::bandpass(0.1, 0.2), 4); },
                "band must be lowpass or highpass for Linkwitz-Riley");
  check_refused([&] { return design_chebyshev1(band, 4, 0.0); }, "ripple_db must be above 0 and at most 300 dB, got 0");
  check_refused([&] { return design_chebyshev2(band, 4, -3.0); },
                "attenuation_db must be above 0 and at most 300 dB, got -3");
}

void what_float64_cannot_hold_is_refused() {
  for (const auto& design : {+[] { return design_butterworth(FilterBand::lowpass(1e-12), 8); },
                             +[] { return design_chebyshev1(FilterBand::bandpass(0.1, 0.1 + 1e-16), 8, 3.0); },
                             +[] { return std::vector{design_biquad(BiquadKind::kBandpass, 0.1, 1e17)}; }}) {
    check_throws<std::invalid_argument>([&] { static_cast<void>(design()); });
  }
}

}  // namespace

int main() {
  return run_tests({
      TEST(frequencies_that_make_no_sense_are_refused_by_name),
      TEST(numbers_that_make_no_sense_are_refused_by_name),
      TEST(what_float64_cannot_hold_is_refused),
  });
}
