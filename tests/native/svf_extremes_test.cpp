#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <iostream>
#include <limits>
#include <random>
#include <stdexcept>
#include <utility>

#include "buffer.h"
#include "check.h"
#include "compare.h"
#include "dsp/svf.h"
#include "svf_signals.h"

using namespace neutone::test;  // NOLINT(google-build-using-namespace): all of it is for these tests
using neutone::dsp::SvfState;
using neutone::dsp::SvfView;

namespace {

// From one end of the range to the other, from one frame to the next.
void draw_wild_controls(const Signals& signals, float most_resonance) {
  static std::mt19937_64 random(seed());  // goes on: each block is another
  std::uniform_real_distribution<float> uniform(0.0F, 1.0F);
  fill(signals.cutoff_hz, [&] {
    const float place = uniform(random);
    return uniform(random) < 0.5F ? 1e-4F * std::pow(4e8F, place) : 24'000.0F * place;
  });
  fill(signals.resonance, [&] { return 1e-4F * std::pow(1e4F * most_resonance, uniform(random)); });
}

void without_input_the_energy_never_grows() {
  constexpr double kRounding = 1e-15;  // a few roundings of a double, at each frame
  constexpr std::size_t kBlock = 1'000;
  const Signals signals = jumping(1, kBlock);
  fill(signals.audio, [] { return 0.0F; });
  std::mt19937_64 random(seed());
  std::uniform_real_distribution<float> uniform(0.0F, 1.0F);
  SvfState state{0.6, -0.8, 0.0, 0.0, {}};
  SvfView filter(kRateHz, &state, 1);
  const Buffer out(1, kBlock);
  double energy = 1.0;
  for (std::size_t frame = 0; frame < 1'000'000; ++frame) {
    if (frame % kBlock == 0) draw_wild_controls(signals, 1e6F);
    const std::size_t i = frame % kBlock;
    // The cutoff jumps a thousandfold and back, the resonance is the highest there is half of the time.
    at(signals.cutoff_hz.planar(), 0, i) = uniform(random) < 0.5F ? 1e-4F + uniform(random) : 23'000.0F;
    if (uniform(random) < 0.5F) at(signals.resonance.planar(), 0, i) = 1e6F;
    filter.process(signals.audio.planar().slice_frames(i, 1), slice(signals.controls(), i, 1), out.first(1));
    const double next = state.band * state.band + state.low * state.low;
    CHECK(next <= energy * (1.0 + kRounding));
    energy = next;
    if (energy > 1e-100) continue;
    state.band = 0.6;
    state.low = -0.8;
    energy = 1.0;
  }
}

void jumps_over_the_whole_range_leave_the_state_bounded() {
  constexpr std::size_t kBlock = 1'000;
  constexpr double kBound = 20.0;  // resonance up to 10; ten runs reached 3.2 to 4.5
  const Signals signals = jumping(2, kBlock);
  Svf filter(kRateHz, 2);
  double largest = 0.0;
  for (std::size_t block = 0; block < 1'000; ++block) {
    draw_wild_controls(signals, 10.0F);
    static_cast<void>(filtered(filter, signals.audio.planar(), signals.controls()));
    for (const SvfState& state : filter.states()) {
      CHECK(std::isfinite(state.band));
      largest = std::max({largest, std::abs(state.band), std::abs(state.low)});
    }
  }
  std::cout << "        largest state: " << largest << "\n";
  CHECK(largest <= kBound);
}

void what_is_not_finite_is_gone_with_the_next_frame() {
  for (const float bad : {kNan, kInfinity, -kInfinity}) {
    const Signals signals = jumping(2, 400);
    const Buffer clean = filtered(signals.audio.planar(), signals.controls());
    at(signals.audio.planar(), 0, 150) = bad;
    const Buffer out = filtered(signals.audio.planar(), signals.controls());
    const Buffer anew = filtered(signals.audio.planar().slice_frames(151, 249), slice(signals.controls(), 151, 249));
    CHECK(!std::isfinite(at(out.planar(), 0, 150)));
    const auto row = [](const Buffer& buffer, std::size_t channel, std::size_t first, std::size_t count) {
      return buffer.planar().slice_channels(channel, 1).slice_frames(first, count);
    };
    CHECK(is_same(row(out, 0, 0, 150), row(clean, 0, 0, 150)));
    CHECK(is_same(row(out, 0, 151, 249), row(anew, 0, 0, 249)));
    CHECK(is_same(row(out, 1, 0, 400), row(clean, 1, 0, 400)));
  }
}

void a_control_that_is_nan_stays_where_it_was() {
  for (const std::size_t channels : kChannelCounts) {
    const Signals holed = jumping(channels, 500);
    const Signals held = jumping(channels, 500);
    for (const auto& [with_nan, expected] :
         {std::pair(&holed.cutoff_hz, &held.cutoff_hz), std::pair(&holed.resonance, &held.resonance),
          std::pair(&holed.band, &held.band), std::pair(&holed.low, &held.low), std::pair(&holed.high, &held.high)}) {
      for (std::size_t frame = 30; frame < 500; ++frame) {
        if (frame % 7 > 2 && frame < 400) continue;
        at(with_nan->planar(), channels - 1, frame) = kNan;
        at(expected->planar(), channels - 1, frame) = at(expected->planar(), channels - 1, frame - 1);
      }
    }
    const Buffer out = filtered(holed.audio.planar(), holed.controls());
    CHECK(is_same(out.planar(), filtered(held.audio.planar(), held.controls()).planar()));
  }
}

void a_knob_that_is_nan_stays_where_each_channel_had_it() {
  const Signals signals = jumping(3, 100);
  const SvfControls curves = signals.controls();
  const Knobs nan(static_cast<double>(kNan), static_cast<double>(kNan), {});
  SvfControls last = changed(slice(curves, 99, 1), repeat_frames);
  SvfControls unknown = last;
  unknown.cutoff_hz = nan.controls(3, 1).cutoff_hz;
  unknown.resonance = nan.controls(3, 1).resonance;
  Svf one(kRateHz, 3);
  Svf other(kRateHz, 3);
  static_cast<void>(filtered(one, signals.audio.planar(), curves));
  static_cast<void>(filtered(other, signals.audio.planar(), curves));
  const Buffer expected = filtered(one, signals.audio.planar(), last);
  CHECK(is_same(filtered(other, signals.audio.planar(), unknown).planar(), expected.planar()));
}

void controls_out_of_range_count_as_the_nearest() {
  const Signals signals = jumping(1, 300);
  const auto out = [&](double cutoff_hz, double resonance, double mix) {
    return filtered(signals.audio.planar(), Knobs(cutoff_hz, resonance, {mix, mix, 0.5}).controls(1, 300));
  };
  const double most_hz = neutone::dsp::kMaxSvfNormalizedCutoff * kRateHz;
  const auto infinity = static_cast<double>(kInfinity);
  CHECK(is_same(out(1e9, 1.0, 0.1).planar(), out(most_hz, 1.0, 0.1).planar()));
  CHECK(is_same(out(infinity, 1.0, 0.1).planar(), out(most_hz, 1.0, 0.1).planar()));
  CHECK(is_same(out(-5.0, 1.0, 0.1).planar(), out(1e-4, 1.0, 0.1).planar()));
  CHECK(is_same(out(0.0, 1.0, 0.1).planar(), out(1e-4, 1.0, 0.1).planar()));
  CHECK(is_same(out(500.0, -infinity, 0.1).planar(), out(500.0, 1e-4, 0.1).planar()));
  CHECK(is_same(out(500.0, 1e9, 0.1).planar(), out(500.0, 1e6, 0.1).planar()));
  CHECK(is_same(out(500.0, 1.0, infinity).planar(), out(500.0, 1.0, 1e6).planar()));
  CHECK(!is_same(out(500.0, 1.0, 0.1).planar(), out(501.0, 1.0, 0.1).planar()));
}

void ten_seconds_after_an_impulse_no_state_is_denormal() {
  constexpr std::size_t kFrames = 480'000;
  for (const double cutoff_hz : {20.0, 50.0, 200.0, 1'000.0, 15'000.0}) {
    for (const double resonance : {0.1, 0.7, 3.0}) {
      Svf filter(kRateHz, 1);
      const Knobs knobs(cutoff_hz, resonance, {0.2, 0.3, 0.4});
      static_cast<void>(filtered(filter, impulse(1, kFrames).planar(), knobs.controls(1, kFrames)));
      const SvfState& state = filter.states()[0];
      CHECK(std::fpclassify(state.band) != FP_SUBNORMAL);
      CHECK(std::fpclassify(state.low) != FP_SUBNORMAL);
      if (cutoff_hz >= 200.0 && resonance == 0.7) {
        CHECK(std::abs(state.band) <= 1e-290);
        CHECK(std::abs(state.low) <= 1e-290);
      }
    }
  }
}

void whatever_the_state_holds_the_filter_recovers() {
  const Signals signals = jumping(2, 300);
  const Knobs nan(static_cast<double>(kNan), 1.0, {});
  constexpr double kMost = std::numeric_limits<double>::max();
  for (const double bad : {std::nan(""), static_cast<double>(kInfinity), kMost, -kMost, 5e-324}) {
    std::array<SvfState, 2> states{};
    for (SvfState& state : states) state = {bad, -bad, bad, bad, {bad, bad, bad}};
    SvfView filter(kRateHz, states.data(), 2);
    const Buffer out(2, 300);
    SvfControls controls = signals.controls();
    controls.cutoff_hz = nan.controls(2, 300).cutoff_hz;
    filter.process(signals.audio.planar(), controls, out.planar());
    filter.process(signals.audio.planar(), signals.controls(), out.planar());
    for (const SvfState& state : states) CHECK((std::isfinite(state.band) && std::isfinite(state.low)));
    filter.reset();
    filter.process(signals.audio.planar(), signals.controls(), out.planar());
    CHECK(is_same(out.planar(), filtered(signals.audio.planar(), signals.controls()).planar()));
  }
}

void what_no_filter_can_be_is_refused() {
  check_throws<std::invalid_argument>([] { Svf(0.5, 1); });
  check_throws<std::invalid_argument>([] { Svf(std::nan(""), 1); });
  check_throws<std::invalid_argument>([] { Svf(1e6, 1); });
  check_throws<std::invalid_argument>([] { Svf(kRateHz, 0); });
}

}  // namespace

int main() {
  return run_tests({
      TEST(without_input_the_energy_never_grows),
      TEST(jumps_over_the_whole_range_leave_the_state_bounded),
      TEST(what_is_not_finite_is_gone_with_the_next_frame),
      TEST(a_control_that_is_nan_stays_where_it_was),
      TEST(a_knob_that_is_nan_stays_where_each_channel_had_it),
      TEST(controls_out_of_range_count_as_the_nearest),
      TEST(ten_seconds_after_an_impulse_no_state_is_denormal),
      TEST(whatever_the_state_holds_the_filter_recovers),
      TEST(what_no_filter_can_be_is_refused),
  });
}
