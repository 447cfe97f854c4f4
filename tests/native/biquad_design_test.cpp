#include "dsp/biquad_design.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <cstddef>
#include <limits>
#include <numbers>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "check.h"

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

using Complex = std::complex<double>;
using Sections = std::vector<BiquadSection>;

constexpr double kCornerDb = 0.001;  // what is promised at corners; float64 reaches 1e-6 at the extremes
constexpr std::array kKinds{BiquadKind::kLowpass, BiquadKind::kHighpass, BiquadKind::kBandpass,  BiquadKind::kNotch,
                            BiquadKind::kPeak,    BiquadKind::kLowShelf, BiquadKind::kHighShelf, BiquadKind::kAllpass};
constexpr std::array kRatesHz{8'000.0, 44'100.0, 48'000.0, 192'000.0};
constexpr double kHalfPowerDb = -3.010299956639812;  // 10 log10(1/2)

double gain_db(std::span<const BiquadSection> sections, double normalized_freq) {
  return 20.0 * std::log10(std::abs(response(sections, normalized_freq)));
}
double gain_db(const BiquadSection& section, double normalized_freq) {
  return gain_db(std::span(&section, 1), normalized_freq);
}

// Cutoffs from 10 Hz to 0.49 of each rate.
std::vector<double> cutoffs() {
  std::vector<double> normalized_freqs;
  for (const double rate_hz : kRatesHz) {
    for (const double cutoff_hz : {10.0, 100.0, 1'000.0, 3'500.0}) normalized_freqs.push_back(cutoff_hz / rate_hz);
  }
  for (const double normalized_freq : {0.1, 0.25, 0.4, 0.49}) normalized_freqs.push_back(normalized_freq);
  return normalized_freqs;
}

// At which frequencies responses are looked at: dense near both ends.
std::vector<double> grid() {
  constexpr int kCount = 256;
  std::vector<double> normalized_freqs;
  normalized_freqs.reserve(2 * std::size_t{kCount});
  for (int i = 0; i < kCount; ++i) normalized_freqs.push_back(1e-6 * std::pow(0.25 / 1e-6, i / double{kCount}));
  for (int i = kCount; i-- > 0;) normalized_freqs.push_back(0.5 - normalized_freqs[static_cast<std::size_t>(i)]);
  return normalized_freqs;
}

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
  std::mt19937_64 random(neutone::test::seed());
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
std::vector<double> impulse_response(const Sections& sections, std::size_t count) {
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
    const Sections sections = design_chebyshev1(band, 9, 0.1);
    const std::vector<double> signal = impulse_response(sections, 4096);
    CHECK(std::abs(signal.back()) <= kRounding);
    for (const double normalized_freq : {0.0, 0.01, 0.1, 0.17, 0.3, 0.5}) {
      Complex sum = 0.0;
      for (std::size_t i = 0; i < signal.size(); ++i) {
        sum += signal[i] * std::polar(1.0, -2.0 * std::numbers::pi * normalized_freq * static_cast<double>(i));
      }
      CHECK(std::abs(sum - response(sections, normalized_freq)) <= kRounding);
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
  const Sections butterworth = design_butterworth(FilterBand::lowpass(0.1), 2);
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

template <typename Action>
void check_refused(const Action& action, const std::string& message) {
  std::string got = "nothing";
  try {
    static_cast<void>(action());
  } catch (const std::invalid_argument& error) {
    got = error.what();
  }
  CHECK(got == message);
}

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
    neutone::test::check_throws<std::invalid_argument>(
        [q] { static_cast<void>(design_biquad(BiquadKind::kPeak, 0.1, q)); });
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
                             +[] { return Sections{design_biquad(BiquadKind::kBandpass, 0.1, 1e17)}; }}) {
    neutone::test::check_throws<std::invalid_argument>([&] { static_cast<void>(design()); });
  }
}

}  // namespace

int main() {
  return neutone::test::run_tests({
      TEST(the_response_is_that_of_the_definition),
      TEST(the_response_keeps_its_digits_at_both_ends),
      TEST(the_response_is_the_transform_of_the_impulse_response),
      TEST(stability_is_strict),
      TEST(every_section_of_every_design_is_stable),
      TEST(the_number_of_sections_is_half_that_of_the_poles),
      TEST(edges_have_the_gain_that_the_family_promises),
      TEST(the_pass_band_has_the_gain_one),
      TEST(butterworth_and_linkwitz_riley_are_monotonic),
      TEST(chebyshev_filters_ripple_where_and_as_far_as_they_may),
      TEST(lowpass_and_highpass_of_linkwitz_riley_sum_to_an_allpass),
      TEST(signals_between_sections_stay_small),
      TEST(cookbook_filters_have_the_gains_of_the_cookbook),
      TEST(a_cookbook_lowpass_with_the_q_of_butterworth_is_one),
      TEST(an_allpass_has_the_gain_one_everywhere),
      TEST(no_gain_is_a_wire),
      TEST(frequencies_that_make_no_sense_are_refused_by_name),
      TEST(numbers_that_make_no_sense_are_refused_by_name),
      TEST(what_float64_cannot_hold_is_refused),
  });
}
