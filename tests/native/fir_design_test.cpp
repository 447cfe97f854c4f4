#include "dsp/fir_design.h"

#include <array>
#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include "check.h"

using neutone::dsp::design_fir;
using neutone::dsp::FirKind;
using neutone::dsp::frequency_response;
using neutone::test::check_refused;
using Cutoffs = std::vector<double>;

namespace {

constexpr double kLow = 0.1;
constexpr double kHigh = 0.3;
constexpr std::int64_t kTaps = 301;
constexpr double kTransition = 4.0 / static_cast<double>(kTaps);  // on either side of a cutoff
constexpr double kRounding = 1e-12;

Cutoffs cutoffs_of(FirKind kind) {
  return neutone::dsp::count_cutoffs(kind) == 1 ? Cutoffs{kLow} : Cutoffs{kLow, kHigh};
}

bool passes(FirKind kind, double freq) {
  switch (kind) {
    case FirKind::kHighpass: return freq > kLow;
    case FirKind::kBandpass: return freq > kLow && freq < kHigh;
    case FirKind::kBandstop: return freq < kLow || freq > kHigh;
    case FirKind::kLowpass: break;
  }
  return freq < kLow;
}

constexpr std::array kKinds{FirKind::kLowpass, FirKind::kHighpass, FirKind::kBandpass, FirKind::kBandstop};

double gain_db(const std::vector<double>& taps, double freq) {
  return 20.0 * std::log10(std::abs(frequency_response(taps, freq)));
}

void bands_pass_and_stop() {
  constexpr double kPassDb = 1e-4;
  constexpr double kStopDb = -117.0;
  for (const FirKind kind : kKinds) {
    const auto taps = design_fir(kind, cutoffs_of(kind), kTaps);
    for (int step = 0; step <= 1000; ++step) {
      const double freq = 0.0005 * step;
      if (std::abs(freq - kLow) < kTransition) continue;
      if (cutoffs_of(kind).size() == 2 && std::abs(freq - kHigh) < kTransition) continue;
      const double db = gain_db(taps, freq);
      if (passes(kind, freq)) CHECK(std::abs(db) <= kPassDb);
      if (!passes(kind, freq)) CHECK(db <= kStopDb);
    }
  }
}

void the_gain_at_a_cutoff_is_a_half() {
  constexpr double kGain = 1e-4;
  for (const FirKind kind : kKinds) {
    const auto taps = design_fir(kind, cutoffs_of(kind), kTaps);
    for (const double cutoff : cutoffs_of(kind)) {
      CHECK(std::abs(std::abs(frequency_response(taps, cutoff)) - 0.5) <= kGain);
    }
  }
}

void the_gain_is_exactly_one_in_one_place() {
  for (const std::int64_t n_taps : {1, 3, 31, 4097}) {
    for (const FirKind kind : kKinds) {
      const auto taps = design_fir(kind, cutoffs_of(kind), n_taps);
      double freq = 0.0;
      if (kind == FirKind::kHighpass) freq = 0.5;
      if (kind == FirKind::kBandpass) freq = 0.5 * (kLow + kHigh);
      CHECK(std::abs(std::abs(frequency_response(taps, freq)) - 1.0) <= kRounding);
    }
  }
}

void taps_are_symmetric() {
  for (const FirKind kind : kKinds) {
    const auto taps = design_fir(kind, cutoffs_of(kind), kTaps);
    CHECK(taps.size() == static_cast<std::size_t>(kTaps));
    for (std::size_t i = 0; i < taps.size(); ++i) CHECK(std::abs(taps[i] - taps[taps.size() - 1 - i]) <= kRounding);
  }
}

void the_response_is_that_of_the_definition() {
  const std::vector<double> taps{1.0, -2.0, 0.5};
  for (const double freq : {0.0, 0.125, 0.25, 0.5, -0.1}) {
    const std::complex<double> z = std::polar(1.0, -2.0 * std::numbers::pi * freq);
    CHECK(std::abs(frequency_response(taps, freq) - (1.0 - 2.0 * z + 0.5 * z * z)) <= kRounding);
  }
}

void designs_that_make_no_sense_are_refused() {
  const auto lowpass = [](double cutoff, std::int64_t n_taps) {
    return [cutoff, n_taps] { return design_fir(FirKind::kLowpass, Cutoffs{cutoff}, n_taps); };
  };
  const std::string range = "normalized_cutoffs must be above 0 and below 0.5, got ";
  check_refused(lowpass(0.5, 31), range + "0.5");
  check_refused(lowpass(0.0, 31), range + "0");
  check_refused(lowpass(-0.1, 31), range + "-0.1");
  check_refused(lowpass(std::numeric_limits<double>::quiet_NaN(), 31), range + "nan");
  check_refused(lowpass(std::numeric_limits<double>::infinity(), 31), range + "inf");
  const std::string length =
      "n_taps must be odd and in 1..1048575, so that the delay is a whole number of samples; got ";
  for (const std::int64_t n_taps : {-1, 0, 32, 1'048'577})
    check_refused(lowpass(0.1, n_taps), length + std::to_string(n_taps));
  const auto band = [](const Cutoffs& cutoffs) {
    return [&cutoffs] { return design_fir(FirKind::kBandpass, cutoffs, 31); };
  };
  check_refused(band({0.3, 0.1}), "normalized_cutoffs must rise: the second be above 0.300000, got 0.1");
  check_refused(band({0.3, 0.3}), "normalized_cutoffs must rise: the second be above 0.300000, got 0.3");
  check_refused(band({0.3}), "normalized_cutoffs must be 2 for this kind, got 1");
  check_refused([] { return neutone::dsp::fir_kind("comb"); },
                "kind must be lowpass, highpass, bandpass or bandstop, got comb");
}

}  // namespace

int main() {
  return neutone::test::run_tests({
      TEST(bands_pass_and_stop),
      TEST(the_gain_at_a_cutoff_is_a_half),
      TEST(the_gain_is_exactly_one_in_one_place),
      TEST(taps_are_symmetric),
      TEST(the_response_is_that_of_the_definition),
      TEST(designs_that_make_no_sense_are_refused),
  });
}
