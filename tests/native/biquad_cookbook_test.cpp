#include <cmath>
#include <numbers>
#include <tuple>

#include "check.h"
#include "dsp/biquad_design.h"
#include "filter_gains.h"

using namespace neutone::test;  // NOLINT(google-build-using-namespace): all of it is for these tests
using neutone::dsp::BiquadKind;
using neutone::dsp::BiquadSection;
using neutone::dsp::design_biquad;
using neutone::dsp::design_butterworth;
using neutone::dsp::FilterBand;
using neutone::dsp::response;

namespace {

void cookbook_filters_have_the_gains_of_the_cookbook() {
  for (const double cutoff : cutoffs()) {
    for (const double q : {0.1, 1.0, 100.0}) {
      const double q_db = 20.0 * std::log10(q);
      CHECK(std::abs(gain_db(design_biquad(BiquadKind::kLowpass, cutoff, q), cutoff) - q_db) <= kCornerDb);
      CHECK(std::abs(gain_db(design_biquad(BiquadKind::kHighpass, cutoff, q), cutoff) - q_db) <= kCornerDb);
      CHECK(std::abs(gain_db(design_biquad(BiquadKind::kBandpass, cutoff, q), cutoff)) <= kCornerDb);
      CHECK(gain_db(design_biquad(BiquadKind::kNotch, cutoff, q), cutoff) <= -100.0);
      for (const double gain : {-24.0, -0.1, 12.0}) {
        const BiquadSection low = design_biquad(BiquadKind::kLowShelf, cutoff, q, gain);
        const BiquadSection high = design_biquad(BiquadKind::kHighShelf, cutoff, q, gain);
        CHECK(std::abs(gain_db(design_biquad(BiquadKind::kPeak, cutoff, q, gain), cutoff) - gain) <= kCornerDb);
        for (const auto& [section, at_zero, at_nyquist] : {std::tuple(low, gain, 0.0), std::tuple(high, 0.0, gain)}) {
          CHECK(std::abs(gain_db(section, 0.0) - at_zero) <= kCornerDb);
          CHECK(std::abs(gain_db(section, cutoff) - 0.5 * gain) <= kCornerDb);
          CHECK(std::abs(gain_db(section, 0.5) - at_nyquist) <= kCornerDb);
        }
      }
    }
  }
}

void a_cookbook_lowpass_with_the_q_of_butterworth_is_one() {
  constexpr double kRounding = 1e-15;
  const BiquadSection cookbook = design_biquad(BiquadKind::kLowpass, 0.1, std::numbers::sqrt2 / 2.0);
  const auto butterworth = design_butterworth(FilterBand::lowpass(0.1), 2);
  CHECK(std::abs(cookbook.b0 - butterworth[0].b0) <= kRounding);
  CHECK(std::abs(cookbook.a1 - butterworth[0].a1) <= kRounding);
  CHECK(std::abs(cookbook.a2 - butterworth[0].a2) <= kRounding);
}

void an_allpass_has_the_gain_one_everywhere() {
  constexpr double kRounding = 1e-13;
  for (const double cutoff : cutoffs()) {
    for (const double q : {0.1, 1.0, 100.0}) {
      const BiquadSection allpass = design_biquad(BiquadKind::kAllpass, cutoff, q);
      for (const double freq : grid()) CHECK(std::abs(std::abs(response(allpass, freq)) - 1.0) <= kRounding);
    }
  }
}

void no_gain_is_a_wire() {
  for (const double cutoff : cutoffs()) {
    for (const BiquadKind kind : {BiquadKind::kPeak, BiquadKind::kLowShelf, BiquadKind::kHighShelf}) {
      const BiquadSection wire = design_biquad(kind, cutoff, 2.0, 0.0);
      CHECK(wire.b0 == 1.0);
      CHECK(wire.b1 == wire.a1);
      CHECK(wire.b2 == wire.a2);
    }
  }
}

}  // namespace

int main() {
  return run_tests({
      TEST(cookbook_filters_have_the_gains_of_the_cookbook),
      TEST(a_cookbook_lowpass_with_the_q_of_butterworth_is_one),
      TEST(an_allpass_has_the_gain_one_everywhere),
      TEST(no_gain_is_a_wire),
  });
}
