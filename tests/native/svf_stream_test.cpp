#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <random>

#include "buffer.h"
#include "check.h"
#include "compare.h"
#include "dsp/svf.h"
#include "svf_signals.h"

using namespace neutone::test;  // NOLINT(google-build-using-namespace): all of it is for these tests
using neutone::dsp::SvfRun;
using neutone::dsp::SvfState;

namespace {

void check_cuts(const Planar<float>& in, const SvfControls& controls) {
  const Buffer whole = filtered(in, controls);
  std::mt19937_64 random(seed());
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
    std::mt19937_64 random(seed());
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

void a_reset_filter_is_a_fresh_one() {
  const Signals signals = jumping(3, 500);
  Svf filter(kRateHz, 3);
  const Buffer first = filtered(filter, signals.audio.planar(), signals.controls());
  filter.reset();
  const Buffer second = filtered(filter, signals.audio.planar(), signals.controls());
  CHECK(is_same(first.planar(), second.planar()));
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

}  // namespace

int main() {
  return run_tests({
      TEST(how_the_stream_is_cut_changes_no_bit),
      TEST(how_the_stream_is_cut_changes_no_bit_of_what_is_not_finite),
      TEST(latency_declared_is_latency_measured),
      TEST(a_reset_filter_is_a_fresh_one),
      TEST(channels_do_not_touch_each_other),
      TEST(strides_change_no_bit),
      TEST(all_kernels_agree),
  });
}
