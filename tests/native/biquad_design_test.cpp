#include "dsp/biquad_design.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <string>
#include <vector>

#include "check.h"
#include "filter_gains.h"

using namespace neutone::test;  // NOLINT(google-build-using-namespace): all of it is for these tests
using neutone::dsp::BiquadKind;
using neutone::dsp::BiquadSection;
using neutone::dsp::design_biquad;
using neutone::dsp::design_butterworth;
using neutone::dsp::design_chebyshev1;
using neutone::dsp::design_chebyshev2;
using neutone::dsp::design_linkwitz_riley;
using neutone::dsp::FilterBand;
using neutone::dsp::is_stable;
using neutone::dsp::response;

namespace {

using Sections = std::vector<BiquadSection>;

constexpr std::array kKinds{BiquadKind::kLowpass, BiquadKind::kHighpass, BiquadKind::kBandpass,  BiquadKind::kNotch,
                            BiquadKind::kPeak,    BiquadKind::kLowShelf, BiquadKind::kHighShelf, BiquadKind::kAllpass};
constexpr double kHalfPowerDb = -3.010299956639812;  // 10 log10(1/2)

struct Design {
  std::string name;
  FilterBand band;
  int order;
  double edge_db;
  double ripple_db;  // of a Chebyshev filter
  Sections sections;
};

void add_family(const FilterBand& band, int order, std::vector<Design>& designs) {
  constexpr double kRippleDb = 0.5;
  constexpr double kAttenuationDb = 80.0;
  designs.push_back({"butterworth", band, order, kHalfPowerDb, 0.0, design_butterworth(band, order)});
  designs.push_back({"chebyshev1", band, order, -kRippleDb, kRippleDb, design_chebyshev1(band, order, kRippleDb)});
  designs.push_back(
      {"chebyshev2", band, order, -kAttenuationDb, kAttenuationDb, design_chebyshev2(band, order, kAttenuationDb)});
  if (order % 2 == 0 && !band.has_two_edges()) {
    designs.push_back({"linkwitz_riley", band, order, 2.0 * kHalfPowerDb, 0.0, design_linkwitz_riley(band, order)});
  }
}

// Every family, kind of band and order, at every cutoff.
const std::vector<Design>& all_designs() {
  static const std::vector<Design> designs = [] {
    std::vector<Design> made;
    for (const double cutoff : cutoffs()) {
      for (int order = 1; order <= neutone::dsp::kMaxFilterOrder; ++order) {
        const double high = std::min(1.5 * cutoff, 0.495);
        add_family(FilterBand::lowpass(cutoff), order, made);
        add_family(FilterBand::highpass(cutoff), order, made);
        add_family(FilterBand::bandpass(cutoff, high), order, made);
        add_family(FilterBand::bandstop(cutoff, high), order, made);
        add_family(FilterBand::bandpass(0.9 * cutoff, 0.499), order, made);
        add_family(FilterBand::bandstop(0.9 * cutoff, 0.499), order, made);
      }
    }
    return made;
  }();
  return designs;
}

bool has_kind(const Design& design, FilterBand::Kind kind) { return design.band.kind() == kind; }

void every_section_of_every_design_is_stable() {
  for (const Design& design : all_designs()) CHECK(std::ranges::all_of(design.sections, is_stable));
  for (const double cutoff : cutoffs()) {
    for (const double q : {0.1, 0.5, std::numbers::sqrt2 / 2.0, 1.0, 10.0, 100.0}) {
      for (const double gain : {-24.0, 0.0, 24.0}) {
        for (const BiquadKind kind : kKinds) CHECK(is_stable(design_biquad(kind, cutoff, q, gain)));
      }
    }
  }
}

void the_number_of_sections_is_half_that_of_the_poles() {
  for (const Design& design : all_designs()) {
    const int poles = design.band.has_two_edges() ? 2 * design.order : design.order;
    CHECK(design.sections.size() == (poles + 1) / 2);
    const bool is_first_order = design.sections[0].a2 == 0.0 && design.sections[0].b2 == 0.0;
    CHECK(is_first_order == (poles % 2 == 1));
  }
}

void edges_have_the_gain_that_the_family_promises() {
  for (const Design& design : all_designs()) {
    CHECK(std::abs(gain_db(design.sections, design.band.low_normalized_freq()) - design.edge_db) <= kCornerDb);
    CHECK(std::abs(gain_db(design.sections, design.band.high_normalized_freq()) - design.edge_db) <= kCornerDb);
  }
}

void the_pass_band_has_the_gain_one() {
  // Chebyshev II of order 2 has its poles a hundred times below its edge, here at 0.1 Hz of 192 kHz: float64 leaves
  // five digits of 1 + a1 + a2. A low-pass filter's gain is corrected for that, as far as its own coefficients have
  // digits.
  constexpr double kRoundingDb = 1e-4;
  constexpr double kRoundingWithZerosDb = 1e-7;
  constexpr double kRoundingLowpassDb = 1e-12;
  for (const Design& design : all_designs()) {
    double reference = 0.0;
    if (has_kind(design, FilterBand::Kind::kHighpass)) reference = 0.5;
    if (has_kind(design, FilterBand::Kind::kBandpass)) {
      const double product = std::tan(std::numbers::pi * design.band.low_normalized_freq()) *
                             std::tan(std::numbers::pi * design.band.high_normalized_freq());
      reference = std::atan(std::sqrt(product)) / std::numbers::pi;
    }
    const bool dips = design.name == "chebyshev1" && design.order % 2 == 0;
    const double off_db = std::abs(gain_db(design.sections, reference) + (dips ? design.ripple_db : 0.0));
    if (!has_kind(design, FilterBand::Kind::kLowpass)) {
      CHECK(off_db <= kRoundingDb);
    } else {
      CHECK(off_db <= (design.name == "chebyshev2" ? kRoundingWithZerosDb : kRoundingLowpassDb));
    }
  }
}

// Never rises from one frequency of the grid to the next, but for rounding.
void check_falls(const std::vector<double>& gains) {
  constexpr double kRounding = 1e-6;
  for (std::size_t i = 1; i < gains.size(); ++i) CHECK(gains[i] <= gains[i - 1] * (1.0 + kRounding));
}

void butterworth_and_linkwitz_riley_are_monotonic() {
  for (const Design& design : all_designs()) {
    if (design.name[0] == 'c' || design.band.has_two_edges()) continue;
    std::vector<double> gains;
    for (const double freq : grid()) gains.push_back(std::abs(response(design.sections, freq)));
    if (has_kind(design, FilterBand::Kind::kHighpass)) std::ranges::reverse(gains);
    check_falls(gains);
  }
}

bool passes(const FilterBand& band, double freq) {
  switch (band.kind()) {
    case FilterBand::Kind::kLowpass: return freq < band.low_normalized_freq();
    case FilterBand::Kind::kHighpass: return freq > band.low_normalized_freq();
    case FilterBand::Kind::kBandpass: return freq > band.low_normalized_freq() && freq < band.high_normalized_freq();
    case FilterBand::Kind::kBandstop: break;
  }
  return freq < band.low_normalized_freq() || freq > band.high_normalized_freq();
}

void chebyshev_filters_ripple_where_and_as_far_as_they_may() {
  constexpr double kRoundingDb = 1e-4;
  for (const Design& design : all_designs()) {
    if (design.name[0] != 'c') continue;
    for (const double freq : grid()) {
      const double gain = gain_db(design.sections, freq);
      CHECK(gain <= kRoundingDb);
      const bool is_ripple = passes(design.band, freq) == (design.name == "chebyshev1");
      if (is_ripple && design.name == "chebyshev1") CHECK(gain >= -design.ripple_db - kRoundingDb);
      if (is_ripple && design.name == "chebyshev2") CHECK(gain <= -design.ripple_db + kRoundingDb);
    }
  }
}

void lowpass_and_highpass_of_linkwitz_riley_sum_to_an_allpass() {
  constexpr double kRounding = 1e-7;
  for (const double cutoff : cutoffs()) {
    for (int order = 2; order <= 16; order += 2) {
      const Sections low = design_linkwitz_riley(FilterBand::lowpass(cutoff), order);
      const Sections high = design_linkwitz_riley(FilterBand::highpass(cutoff), order);
      const double sign = order % 4 == 0 ? 1.0 : -1.0;  // in opposite phase at every other order
      for (const double freq : grid()) {
        CHECK(std::abs(std::abs(response(low, freq) + sign * response(high, freq)) - 1.0) <= kRounding);
      }
    }
  }
}

void signals_between_sections_stay_small() {
  constexpr double kMostDb = 20.0;  // resonances of narrow bands
  for (const Design& design : all_designs()) {
    for (const double freq : grid()) {
      double gain = 1.0;
      for (const BiquadSection& section : design.sections) {
        gain *= std::abs(response(section, freq));
        CHECK(20.0 * std::log10(gain + 1e-300) <= kMostDb);
      }
    }
  }
}

}  // namespace

int main() {
  return run_tests({
      TEST(every_section_of_every_design_is_stable),
      TEST(the_number_of_sections_is_half_that_of_the_poles),
      TEST(edges_have_the_gain_that_the_family_promises),
      TEST(the_pass_band_has_the_gain_one),
      TEST(butterworth_and_linkwitz_riley_are_monotonic),
      TEST(chebyshev_filters_ripple_where_and_as_far_as_they_may),
      TEST(lowpass_and_highpass_of_linkwitz_riley_sum_to_an_allpass),
      TEST(signals_between_sections_stay_small),
  });
}
