#include "dsp/biquad.h"

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
#include <vector>

#include "buffer.h"
#include "check.h"
#include "compare.h"
#include "denormals.h"
#include "signals.h"
#include "spectrum.h"

using neutone::dsp::BiquadCascade;
using neutone::dsp::BiquadSection;
using neutone::dsp::BiquadView;
using neutone::test::at;
using neutone::test::Buffer;
using neutone::test::flushes_to_zero;
using neutone::test::impulse;
using neutone::test::kLayouts;
using neutone::test::Layout;
using neutone::test::n_different;
using neutone::test::noise;
using neutone::test::spectrum_at;

namespace {

constexpr std::array<std::size_t, 8> kSectionCounts{1, 2, 3, 4, 5, 6, 7, 9};

// A resonance at `normalized_freq` with poles at `radius`, and a zero at each end of the spectrum.
BiquadSection resonance(double normalized_freq, double radius) {
  const double gain = 0.5 * (1.0 - radius * radius);
  return {gain, 0.0, -gain, -2.0 * radius * std::cos(2.0 * std::numbers::pi * normalized_freq), radius * radius};
}

// Sections that differ, from next to no frequency to near half the rate; the last is of first order.
std::vector<BiquadSection> cascade(std::size_t count) {
  std::vector<BiquadSection> sections;
  for (std::size_t i = 0; i + 1 < count; ++i) {
    BiquadSection section = resonance(0.0005 + 0.06 * static_cast<double>(i), 0.999 - 0.01 * static_cast<double>(i));
    section.b0 += 1.0;  // passes on the rest, so that something arrives at the end
    section.b1 += 0.3;
    sections.push_back(section);
  }
  sections.push_back({0.5, 0.4, 0.0, -0.6, 0.0});
  return sections;
}

// The definition, in long double, one sample after the other.
std::vector<long double> by_definition(const std::vector<BiquadSection>& sections, const float* in, std::size_t count) {
  std::vector<long double> samples(in, in + count);
  for (const BiquadSection& s : sections) {
    std::array<long double, 2> x{};
    std::array<long double, 2> y{};
    for (long double& sample : samples) {
      const long double out = s.b0 * sample + s.b1 * x[0] + s.b2 * x[1] - s.a1 * y[0] - s.a2 * y[1];
      x = {sample, x[0]};
      y = {out, y[0]};
      sample = out;
    }
  }
  return samples;
}

void the_output_is_that_of_the_difference_equation() {
  constexpr float kFloatResult = 1e-6F;  // of a few units at most; arithmetic is double
  for (const std::size_t n_sections : kSectionCounts) {
    for (const std::size_t channels : {1U, 2U, 3U}) {
      const std::vector<BiquadSection> sections = cascade(n_sections);
      BiquadCascade filter(sections, channels);
      const Buffer in = noise(channels, 3000);
      const Buffer out(channels, 3000);
      filter.process(in.planar(), out.planar());
      for (std::size_t channel = 0; channel < channels; ++channel) {
        const auto expected = by_definition(sections, in.planar().row(channel), 3000);
        const float largest = static_cast<float>(
            std::abs(*std::ranges::max_element(expected, {}, [](long double sample) { return std::abs(sample); })));
        for (std::size_t frame = 0; frame < 3000; ++frame) {
          const float error = at(out.planar(), channel, frame) - static_cast<float>(expected[frame]);
          CHECK(std::abs(error) <= kFloatResult * std::max(1.0F, largest));
        }
      }
    }
  }
}

void how_the_stream_is_cut_changes_no_bit() {
  std::mt19937_64 random(neutone::test::seed());
  for (const std::size_t n_sections : kSectionCounts) {
    for (const std::size_t channels : {1U, 2U, 5U}) {
      BiquadCascade filter(cascade(n_sections), channels);
      const Buffer in = noise(channels, 2500);
      const Buffer whole(channels, 2500);
      filter.process(in.planar(), whole.planar());
      for (const std::size_t largest : {1U, 9U, 700U}) {
        std::uniform_int_distribution<std::size_t> count(0, largest);
        filter.reset();
        const Buffer cut(channels, 2500);
        for (std::size_t done = 0; done < 2500;) {
          const std::size_t frames = std::min(count(random), 2500 - done);
          filter.process(in.planar().slice_frames(done, frames), cut.planar().slice_frames(done, frames));
          done += frames;
        }
        CHECK(n_different(cut.planar(), whole.planar()) == 0);
      }
    }
  }
}

void channels_do_not_touch_each_other_and_any_layout_will_do() {
  const std::vector<BiquadSection> sections = cascade(5);
  const Buffer in = noise(3, 600);
  const Buffer expected(3, 600);
  BiquadCascade filter(sections, 3);
  filter.process(in.planar(), expected.planar());
  for (std::size_t channel = 0; channel < 3; ++channel) {
    BiquadCascade alone(sections, 1);
    const Buffer out(1, 600);
    alone.process(in.planar().slice_channels(channel, 1), out.planar());
    CHECK(n_different(out.planar(), expected.planar().slice_channels(channel, 1)) == 0);
  }
  for (const Layout layout : kLayouts) {
    const Buffer same = noise(3, 600, neutone::test::seed(), layout);
    filter.reset();
    filter.process(same.planar(), same.planar());  // in place
    CHECK(n_different(same.planar(), expected.planar()) == 0);
  }
}

// By the transform of the impulse response, which has to have died away at its end.
void the_response_declared_is_the_response_measured() {
  constexpr double kFloatSamples = 1e-5;  // of the largest gain, that of the resonance
  constexpr std::size_t kFrames = 40'000;
  BiquadCascade filter(cascade(4), 1);
  const Buffer audio = impulse(1, kFrames);
  filter.process(audio.planar(), audio.planar());
  const double largest = std::abs(filter.response(0.0005));
  for (const double frequency : {0.0, 0.0005, 0.001, 0.03, 0.1, 0.3, 0.5}) {
    const std::complex<double> measured = spectrum_at(std::span(audio.planar().row(0), kFrames), frequency);
    CHECK(std::abs(measured - filter.response(frequency)) <= kFloatSamples * largest);
  }
}

void the_first_sample_comes_out_at_once() {
  BiquadCascade filter(cascade(4), 1);
  const Buffer audio = impulse(1, 1);
  filter.process(audio.planar(), audio.planar());
  CHECK(audio.planar().row(0)[0] != 0.0F);
  CHECK(filter.latency() == 0);
}

void a_reset_filter_is_a_fresh_one() {
  BiquadCascade filter(cascade(7), 2);
  const Buffer in = noise(2, 500);
  const Buffer first(2, 500);
  const Buffer second(2, 500);
  filter.process(in.planar(), first.planar());
  filter.reset();
  filter.process(in.planar(), second.planar());
  CHECK(n_different(second.planar(), first.planar()) == 0);
}

void what_is_not_finite_comes_out_as_it_is_and_leaves_nothing_behind() {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    const Buffer in = noise(2, 900);
    const Buffer silent = noise(2, 900);
    in.planar().row(1)[300] = bad;
    silent.planar().row(1)[300] = 0.0F;
    BiquadCascade filter(cascade(4), 2);
    const Buffer expected(2, 900);
    filter.process(silent.planar(), expected.planar());
    filter.reset();
    filter.process(in.planar(), in.planar());
    for (std::size_t channel = 0; channel < 2; ++channel) {
      for (std::size_t frame = 0; frame < 900; ++frame) {
        const bool is_bad = channel == 1 && frame == 300;
        if (is_bad) CHECK(!std::isfinite(at(in.planar(), channel, frame)));
        if (!is_bad) CHECK(at(in.planar(), channel, frame) == at(expected.planar(), channel, frame));
      }
    }
  }
}

void silence_leaves_no_denormals() {
  const std::array sections{resonance(0.01, 0.99), resonance(0.2, 0.9)};
  std::array<double, BiquadView::state_size(2, 1)> state{};
  BiquadView filter(sections, state.data(), 1);
  const Buffer audio = impulse(1, 480'000);
  filter.process(audio.planar(), audio.planar());
  CHECK(std::ranges::all_of(state, [](double number) { return number == 0.0; }));
  CHECK(!flushes_to_zero());
}

void all_kernels_agree() {
  constexpr float kRounding = 1e-6F;
  for (const std::size_t n_sections : kSectionCounts) {
    const std::vector<BiquadSection> sections = cascade(n_sections);
    const Buffer in = noise(3, 1000);
    const Buffer expected(3, 1000);
    std::vector<double> state(BiquadView::state_size(n_sections, 3));
    neutone::dsp::biquad_kernels()[0].run({sections, state.data()}, in.planar(), expected.planar());
    for (const auto& kernel : neutone::dsp::biquad_kernels()) {
      std::ranges::fill(state, 0.0);
      const Buffer out(3, 1000);
      kernel.run({sections, state.data()}, in.planar(), out.planar());
      for (std::size_t channel = 0; channel < 3; ++channel) {
        for (std::size_t frame = 0; frame < 1000; ++frame) {
          const float value = at(expected.planar(), channel, frame);
          CHECK(std::abs(at(out.planar(), channel, frame) - value) <= kRounding * std::max(1.0F, std::abs(value)));
        }
      }
    }
  }
}

void what_would_not_come_to_rest_is_refused() {
  for (const BiquadSection& section :
       {BiquadSection{1.0, 0.0, 0.0, -2.0, 1.0}, BiquadSection{1.0, 0.0, 0.0, 0.0, 1.1},
        BiquadSection{1.0, 0.0, 0.0, -1.0, 0.0}, BiquadSection{1.0, 0.0, 0.0, NAN, 0.0}}) {
    neutone::test::check_throws<std::invalid_argument>([&] { const BiquadCascade filter(std::array{section}, 1); });
  }
  neutone::test::check_throws<std::invalid_argument>([] { const BiquadCascade filter({}, 0); });
}

}  // namespace

int main() {
  return neutone::test::run_tests({
      TEST(the_output_is_that_of_the_difference_equation),
      TEST(how_the_stream_is_cut_changes_no_bit),
      TEST(channels_do_not_touch_each_other_and_any_layout_will_do),
      TEST(the_response_declared_is_the_response_measured),
      TEST(the_first_sample_comes_out_at_once),
      TEST(a_reset_filter_is_a_fresh_one),
      TEST(what_is_not_finite_comes_out_as_it_is_and_leaves_nothing_behind),
      TEST(silence_leaves_no_denormals),
      TEST(all_kernels_agree),
      TEST(what_would_not_come_to_rest_is_refused),
  });
}
