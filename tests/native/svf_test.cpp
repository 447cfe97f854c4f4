#include "dsp/svf.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <cstddef>
#include <iostream>
#include <numbers>
#include <span>

#include "buffer.h"
#include "check.h"
#include "spectrum.h"
#include "svf_signals.h"

using namespace neutone::test;  // NOLINT(google-build-using-namespace): all of it is for these tests
using neutone::dsp::svf_response;

namespace {

// Zavalishin's equations as they stand in the book, in long double.
class SlowFilter {
 public:
  explicit SlowFilter(double rate_hz) : rate_hz_(rate_hz) {}

  long double next(long double x, const SvfControls& controls, std::size_t channel, std::size_t frame) {
    const auto value = [&](const Planar<const float>& curve) {
      return static_cast<long double>(at(curve, channel, frame));
    };
    const long double g = std::tan(std::numbers::pi_v<long double> * value(controls.cutoff_hz) / rate_hz_);
    const long double damping = 1.0L / value(controls.resonance);
    const long double high = (x - (damping + g) * s1_ - s2_) / (1.0L + damping * g + g * g);
    const long double band = s1_ + g * high;
    const long double low = s2_ + g * band;
    s1_ = band + g * high;
    s2_ = low + g * band;
    return value(controls.mix_band) * damping * band + value(controls.mix_low) * low + value(controls.mix_high) * high;
  }

 private:
  long double rate_hz_;
  long double s1_ = 0.0L;
  long double s2_ = 0.0L;
};

void the_output_is_that_of_the_textbook() {
  // The result is rounded to float; doubles of up to 2^3 inside.
  constexpr double kRelative = 0x1p-23;
  constexpr double kAbsolute = 1e-13;
  const Signals signals = jumping(2, 20'000);
  for (const double rate_hz : {kRateHz, 192'000.0}) {
    for (const SvfControls& controls : shapes_of(signals.controls())) {
      const Buffer out = filtered(signals.audio.planar(), controls, rate_hz);
      for (std::size_t channel = 0; channel < 2; ++channel) {
        SlowFilter slow(rate_hz);
        for (std::size_t frame = 0; frame < 20'000; ++frame) {
          const auto x = static_cast<long double>(at(signals.audio.planar(), channel, frame));
          const auto expected = static_cast<double>(slow.next(x, controls, channel, frame));
          const double error = std::abs(static_cast<double>(at(out.planar(), channel, frame)) - expected);
          CHECK(error <= kRelative * std::abs(expected) + kAbsolute);
        }
      }
    }
  }
}

void the_tangent_is_exact_to_15_digits() {
  constexpr double kTangent = 1e-15;  // measured: 4.5e-16, a few roundings of a double
  double worst = 0.0;
  const auto look = [&worst](double freq) {
    const auto [sine, cosine] = neutone::dsp::kernel::sine_cosine(freq);
    const long double exact = std::tan(std::numbers::pi_v<long double> * static_cast<long double>(freq));
    const long double error = (static_cast<long double>(sine) / static_cast<long double>(cosine) - exact) / exact;
    worst = std::max(worst, static_cast<double>(std::abs(error)));
  };
  for (int i = 1; i <= 1'000'000; ++i) look(neutone::dsp::kMaxSvfNormalizedCutoff * i / 1e6);
  for (int i = 0; i <= 26'000; ++i) look(1e-12 * std::pow(1.001, i));  // up to 0.19
  std::cout << "        worst relative error of the tangent: " << worst << "\n";
  CHECK(worst <= kTangent);
}

// The analog prototype at a frequency in multiples of its cutoff.
std::complex<double> analog(double frequency, double resonance, const SvfMix& mix) {
  const std::complex<double> s(0.0, frequency);
  const std::complex<double> band = s / resonance;
  return (mix.band * band + mix.low + mix.high * s * s) / (s * s + band + 1.0);
}

double in_db(double gain) { return 20.0 * std::log10(gain); }

void the_gain_is_the_analog_prototypes_at_the_warped_frequency() {
  constexpr double kDb = 0.001;
  constexpr std::size_t kFrames = 16'384;  // the slowest of these decays to 1e-9 by then
  for (const double cutoff_hz : {100.0, 1'000.0, 10'000.0, 22'000.0}) {
    for (const double resonance : {0.5, 0.707106781, 5.0}) {
      for (const SvfMix& mix : {kOutputs[0], kOutputs[1], kOutputs[2], SvfMix{-0.5, 1.0, 0.25}}) {
        const Knobs knobs(cutoff_hz, resonance, mix);
        const Buffer response = impulse_response(knobs, kFrames);
        const auto set_resonance = static_cast<double>(knobs.values[1]);
        for (const double factor : {1.0, 0.5, 1.07}) {
          const double freq = cutoff_hz * factor / kRateHz;
          const double warped = std::tan(std::numbers::pi * freq) / std::tan(std::numbers::pi * cutoff_hz / kRateHz);
          const double expected = std::abs(analog(warped, set_resonance, mix));
          const std::complex<double> measured = spectrum_at(std::span(response.planar().row(0), kFrames), freq);
          CHECK(std::abs(in_db(std::abs(measured)) - in_db(expected)) <= kDb);
          const std::complex<double> declared = svf_response(cutoff_hz / kRateHz, set_resonance, mix, freq);
          CHECK(std::abs(measured - declared) <= 1e-4 * std::abs(declared));  // kDb as a ratio
        }
      }
    }
  }
}

void the_gain_at_the_cutoff_is_what_resonance_says() {
  constexpr double kRounding = 1e-12;
  for (const double resonance : {0.5, 0.707106781, 5.0}) {
    const std::array expected{1.0, resonance, resonance};
    for (std::size_t output = 0; output < 3; ++output) {
      const double gain = std::abs(svf_response(0.1, resonance, kOutputs.at(output), 0.1));
      CHECK(std::abs(gain - expected.at(output)) <= kRounding * resonance);
    }
  }
  CHECK(std::abs(svf_response(0.1, 1.0, kOutputs[1], 0.0) - 1.0) <= kRounding);
  CHECK(std::abs(svf_response(0.1, 1.0, kOutputs[2], 0.5) - 1.0) <= kRounding);
  CHECK(std::abs(svf_response(0.1, 1.0, kOutputs[1], 0.5)) <= kRounding);
}

}  // namespace

int main() {
  return run_tests({
      TEST(the_output_is_that_of_the_textbook),
      TEST(the_tangent_is_exact_to_15_digits),
      TEST(the_gain_is_the_analog_prototypes_at_the_warped_frequency),
      TEST(the_gain_at_the_cutoff_is_what_resonance_says),
  });
}
