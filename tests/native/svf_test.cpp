#include "dsp/svf.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <cstddef>
#include <iostream>
#include <limits>
#include <numbers>
#include <random>
#include <stdexcept>
#include <utility>
#include <vector>

#include "buffer.h"
#include "check.h"

using neutone::dsp::Planar;
using neutone::dsp::Svf;
using neutone::dsp::svf_response;
using neutone::dsp::SvfControls;
using neutone::dsp::SvfMix;
using neutone::dsp::SvfRun;
using neutone::dsp::SvfState;
using neutone::dsp::SvfView;
using neutone::test::at;
using neutone::test::Buffer;
using neutone::test::kLayouts;
using neutone::test::Layout;

namespace {

constexpr double kRateHz = 48'000.0;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr std::array<SvfMix, 3> kOutputs{{{1.0, 0.0, 0.0}, {0.0, 1.0, 0.0}, {0.0, 0.0, 1.0}}};
constexpr std::array<std::size_t, 4> kChannelCounts{1, 2, 3, 5};

// Every bit of two outputs.
bool is_same(const Planar<float>& a, const Planar<float>& b) {
  for (std::size_t channel = 0; channel < a.channels; ++channel) {
    for (std::size_t frame = 0; frame < a.frames; ++frame) {
      const float x = at(a, channel, frame);
      const float y = at(b, channel, frame);
      if (x != y && !(std::isnan(x) && std::isnan(y))) return false;
    }
  }
  return true;
}

// Audio and controls of their own memory, the controls one row a channel and one value a frame.
struct Signals {
  Buffer audio;
  Buffer cutoff_hz;
  Buffer resonance;
  Buffer band;
  Buffer low;
  Buffer high;

  Signals(std::size_t channels, std::size_t frames, Layout layout = Layout::kContiguous)
      : audio(channels, frames, layout),
        cutoff_hz(channels, frames, layout),
        resonance(channels, frames, layout),
        band(channels, frames, layout),
        low(channels, frames, layout),
        high(channels, frames, layout) {}

  [[nodiscard]] SvfControls controls() const {
    return {cutoff_hz.planar(), resonance.planar(), band.planar(), low.planar(), high.planar()};
  }
};

template <typename Draw>
void fill(const Buffer& buffer, const Draw& draw) {
  const Planar<float> planar = buffer.planar();
  for (std::size_t frame = 0; frame < planar.frames; ++frame) {
    for (std::size_t channel = 0; channel < planar.channels; ++channel) at(planar, channel, frame) = draw();
  }
}

// White noise, and controls that jump with every frame.
Signals jumping(std::size_t channels, std::size_t frames, Layout layout = Layout::kContiguous) {
  std::mt19937_64 random(neutone::test::seed());
  std::uniform_real_distribution<float> uniform(-1.0F, 1.0F);
  Signals signals(channels, frames, layout);
  fill(signals.audio, [&] { return uniform(random); });
  fill(signals.cutoff_hz, [&] { return 700.0F * std::pow(30.0F, uniform(random)); });
  fill(signals.resonance, [&] { return 2.0F * std::pow(5.0F, uniform(random)); });
  for (const Buffer* mix : {&signals.band, &signals.low, &signals.high}) fill(*mix, [&] { return uniform(random); });
  return signals;
}

Planar<const float> repeat_channels(Planar<const float> curve) {
  curve.channel_stride = 0;
  return curve;
}
Planar<const float> repeat_frames(Planar<const float> curve) {
  curve.frame_stride = 0;
  return curve;
}

template <typename Change>
SvfControls changed(const SvfControls& controls, const Change& change) {
  return {change(controls.cutoff_hz), change(controls.resonance), change(controls.mix_band), change(controls.mix_low),
          change(controls.mix_high)};
}

// The same for all channels, the same for all frames, both, or neither; and mixtures.
std::vector<SvfControls> shapes_of(const SvfControls& controls) {
  const SvfControls shared = changed(controls, repeat_channels);
  const SvfControls still = changed(controls, repeat_frames);
  SvfControls knob_and_curves = shared;
  knob_and_curves.resonance = repeat_frames(shared.resonance);
  knob_and_curves.mix_low = controls.mix_low;
  SvfControls moving_mix = changed(shared, repeat_frames);
  moving_mix.mix_band = shared.mix_band;
  return {controls, shared, still, changed(shared, repeat_frames), knob_and_curves, moving_mix};
}

SvfControls slice(const SvfControls& controls, std::size_t first, std::size_t count) {
  return changed(controls, [&](const Planar<const float>& curve) { return curve.slice_frames(first, count); });
}

Buffer filtered(Svf& filter, const Planar<float>& in, const SvfControls& controls) {
  Buffer out(in.channels, in.frames);
  filter.process(in, controls, out.planar());
  return out;
}

Buffer filtered(const Planar<float>& in, const SvfControls& controls, double rate_hz = kRateHz) {
  Svf filter(rate_hz, in.channels);
  return filtered(filter, in, controls);
}

void check_cuts(const Planar<float>& in, const SvfControls& controls) {
  const Buffer whole = filtered(in, controls);
  std::mt19937_64 random(neutone::test::seed());
  for (const std::size_t largest : {1U, 9U, 64U, 200U}) {
    std::uniform_int_distribution<std::size_t> count(largest == 1 ? 1 : 0, largest);
    Svf filter(kRateHz, in.channels);
    const Buffer out(in.channels, in.frames);
    for (std::size_t first = 0; first < in.frames;) {
      const std::size_t frames = std::min(count(random), in.frames - first);
      filter.process(in.slice_frames(first, frames), slice(controls, first, frames),
                     out.planar().slice_frames(first, frames));
      first += frames;
    }
    CHECK(is_same(out.planar(), whole.planar()));
  }
}

void how_the_stream_is_cut_changes_no_bit() {
  for (const std::size_t channels : kChannelCounts) {
    const Signals signals = jumping(channels, 1000);
    for (const SvfControls& controls : shapes_of(signals.controls())) check_cuts(signals.audio.planar(), controls);
  }
}

void how_the_stream_is_cut_changes_no_bit_of_what_is_not_finite() {
  for (const std::size_t channels : kChannelCounts) {
    const Signals signals = jumping(channels, 1000);
    std::mt19937_64 random(neutone::test::seed());
    std::uniform_int_distribution<std::size_t> frame(0, 999);
    std::uniform_int_distribution<std::size_t> channel(0, channels - 1);
    for (const Buffer* buffer : {&signals.audio, &signals.cutoff_hz, &signals.resonance, &signals.band, &signals.low}) {
      for (const float bad : {kNan, kInfinity, -kInfinity, kNan}) {
        at(buffer->planar(), channel(random), frame(random)) = bad;
      }
    }
    for (const SvfControls& controls : shapes_of(signals.controls())) check_cuts(signals.audio.planar(), controls);
  }
}

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

// Planar curves of one constant each.
struct Knobs {
  std::array<float, 5> values;
  Knobs(double cutoff_hz, double resonance, const SvfMix& mix)
      : values{static_cast<float>(cutoff_hz), static_cast<float>(resonance), static_cast<float>(mix.band),
               static_cast<float>(mix.low), static_cast<float>(mix.high)} {}
  [[nodiscard]] SvfControls controls(std::size_t channels, std::size_t frames) const {
    const auto knob = [&](std::size_t i) { return Planar<const float>{&values.at(i), channels, frames, 0, 0}; };
    return {knob(0), knob(1), knob(2), knob(3), knob(4)};
  }
};

Buffer impulse(std::size_t channels, std::size_t frames) {
  Buffer audio(channels, frames);
  fill(audio, [] { return 0.0F; });
  for (std::size_t channel = 0; channel < channels; ++channel) at(audio.planar(), channel, 0) = 1.0F;
  return audio;
}

Buffer impulse_response(const Knobs& knobs, std::size_t frames) {
  return filtered(impulse(1, frames).planar(), knobs.controls(1, frames));
}

std::complex<double> spectrum_at(const Buffer& response, double normalized_freq) {
  std::complex<double> sum = 0.0;
  for (std::size_t frame = 0; frame < response.planar().frames; ++frame) {
    const double phase = -2.0 * std::numbers::pi * normalized_freq * static_cast<double>(frame);
    sum += static_cast<double>(at(response.planar(), 0, frame)) * std::polar(1.0, phase);
  }
  return sum;
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
          const std::complex<double> measured = spectrum_at(response, freq);
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

void latency_declared_is_latency_measured() {
  for (const SvfMix& mix : kOutputs) {
    CHECK(at(impulse_response(Knobs(1'000.0, 0.7, mix), 10).planar(), 0, Svf::latency()) > 0.0F);
  }
  // The three outputs add up to the input: an impulse comes out where the latency says, and nothing else does.
  constexpr float kRounding = 1e-12F;
  const Buffer sum = impulse_response(Knobs(1'000.0, 0.7, {1.0, 1.0, 1.0}), 1000);
  for (std::size_t frame = 0; frame < 1000; ++frame) {
    CHECK(std::abs(at(sum.planar(), 0, frame) - (frame == Svf::latency() ? 1.0F : 0.0F)) <= kRounding);
  }
}

void a_reset_filter_is_a_fresh_one() {
  const Signals signals = jumping(3, 500);
  Svf filter(kRateHz, 3);
  const Buffer first = filtered(filter, signals.audio.planar(), signals.controls());
  filter.reset();
  const Buffer second = filtered(filter, signals.audio.planar(), signals.controls());
  CHECK(is_same(first.planar(), second.planar()));
}

void channels_do_not_touch_each_other() {
  const Signals signals = jumping(5, 700);
  for (const SvfControls& controls : shapes_of(signals.controls())) {
    const Buffer all = filtered(signals.audio.planar(), controls);
    for (std::size_t channel = 0; channel < 5; ++channel) {
      const auto only = [channel](const auto& planar) { return planar.slice_channels(channel, 1); };
      const Buffer one = filtered(only(signals.audio.planar()), changed(controls, only));
      CHECK(is_same(one.planar(), only(all.planar())));
    }
  }
}

void strides_change_no_bit() {
  const Signals contiguous = jumping(2, 300);
  const Buffer expected = filtered(contiguous.audio.planar(), contiguous.controls());
  for (const Layout layout : kLayouts) {
    const Signals signals = jumping(2, 300, layout);
    Svf filter(kRateHz, 2);
    filter.process(signals.audio.planar(), signals.controls(), signals.audio.planar());  // and in place
    CHECK(is_same(signals.audio.planar(), expected.planar()));
  }
}

// From one end of the range to the other, from one frame to the next.
void draw_wild_controls(const Signals& signals, float most_resonance) {
  static std::mt19937_64 random(neutone::test::seed());  // goes on: each block is another
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
  std::mt19937_64 random(neutone::test::seed());
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

void all_kernels_agree() {
  constexpr float kRounding = 0x1p-22F;  // of float, rarely across an edge; the largest outputs are below 4
  const Signals signals = jumping(2, 3'000);
  const Buffer expected = filtered(signals.audio.planar(), signals.controls());
  for (const auto& kernel : neutone::dsp::svf_kernels()) {
    std::array<SvfState, 2> states{};
    const Buffer out(2, 3'000);
    kernel.run(SvfRun{signals.audio.planar(), signals.controls(), out.planar(), states.data(), kRateHz});
    for (std::size_t frame = 0; frame < 3'000; ++frame) {
      CHECK(std::abs(at(out.planar(), 0, frame) - at(expected.planar(), 0, frame)) <= kRounding);
    }
  }
}

void what_no_filter_can_be_is_refused() {
  using neutone::test::check_throws;
  check_throws<std::invalid_argument>([] { Svf(0.5, 1); });
  check_throws<std::invalid_argument>([] { Svf(std::nan(""), 1); });
  check_throws<std::invalid_argument>([] { Svf(1e6, 1); });
  check_throws<std::invalid_argument>([] { Svf(kRateHz, 0); });
}

}  // namespace

int main() {
  return neutone::test::run_tests({TEST(how_the_stream_is_cut_changes_no_bit),
                                   TEST(how_the_stream_is_cut_changes_no_bit_of_what_is_not_finite),
                                   TEST(the_output_is_that_of_the_textbook),
                                   TEST(the_tangent_is_exact_to_15_digits),
                                   TEST(the_gain_is_the_analog_prototypes_at_the_warped_frequency),
                                   TEST(the_gain_at_the_cutoff_is_what_resonance_says),
                                   TEST(latency_declared_is_latency_measured),
                                   TEST(a_reset_filter_is_a_fresh_one),
                                   TEST(channels_do_not_touch_each_other),
                                   TEST(strides_change_no_bit),
                                   TEST(without_input_the_energy_never_grows),
                                   TEST(jumps_over_the_whole_range_leave_the_state_bounded),
                                   TEST(what_is_not_finite_is_gone_with_the_next_frame),
                                   TEST(a_control_that_is_nan_stays_where_it_was),
                                   TEST(a_knob_that_is_nan_stays_where_each_channel_had_it),
                                   TEST(controls_out_of_range_count_as_the_nearest),
                                   TEST(ten_seconds_after_an_impulse_no_state_is_denormal),
                                   TEST(whatever_the_state_holds_the_filter_recovers),
                                   TEST(all_kernels_agree),
                                   TEST(what_no_filter_can_be_is_refused)});
}
