#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <utility>

#include "buffer.h"
#include "check.h"
#include "compare.h"
#include "dsp/resampler.h"
#include "resamplers.h"
#include "signals.h"

using namespace neutone::test;  // NOLINT(google-build-using-namespace): all of it is for these tests

namespace {

constexpr std::array kQualities{ResamplerQuality::kLowLatency, ResamplerQuality::kStandard, ResamplerQuality::kHigh};

void frames_out_are_frames_in_times_the_ratio_rounded_down() {
  for (const auto& [from_hz, to_hz] : kRates) {
    Resampler<float> resampler(from_hz, to_hz, ResamplerQuality::kStandard, 1);
    const Buffer in(1, 1);
    const Buffer out(1, 64);
    std::int64_t produced = 0;
    for (std::int64_t consumed = 1; consumed < 3000; ++consumed) {
      produced += static_cast<std::int64_t>(resampler.process(in.planar(), out.planar()).produced);
      CHECK(produced == consumed * to_hz / from_hz);
    }
  }
}

template <typename Real>
void check_cuts(const Rates& rates, ResamplerQuality quality, std::size_t channels) {
  Resampler<Real> resampler(rates.from_hz, rates.to_hz, quality, channels);
  const Buffer in = noise(channels, 6000);
  const Buffer whole = resampled(resampler, in.planar());
  std::mt19937_64 random(seed());
  for (const std::size_t largest : {1U, 7U, 64U, 1000U}) {
    resampler.reset();
    std::uniform_int_distribution<std::size_t> count(0, largest);
    const Buffer out(channels, whole.planar().frames);
    std::size_t in_left = in.planar().frames;
    std::size_t out_left = out.planar().frames;
    while (out_left > 0) {
      const auto moved = resampler.process(in.last(in_left).slice_frames(0, std::min(count(random), in_left)),
                                           out.last(out_left).slice_frames(0, std::min(count(random), out_left)));
      in_left -= moved.consumed;
      out_left -= moved.produced;
    }
    CHECK(n_different(out.planar(), whole.planar()) == 0);
  }
}

void how_input_and_output_are_cut_changes_no_bit() {
  for (const Rates& rates : kRates) {
    for (const std::size_t channels : {1U, 2U, 5U}) {
      check_cuts<float>(rates, ResamplerQuality::kStandard, channels);
    }
    check_cuts<float>(rates, ResamplerQuality::kLowLatency, 2);
    check_cuts<double>(rates, ResamplerQuality::kHigh, 2);
  }
}

void channels_do_not_touch_each_other() {
  const Buffer in = noise(5, 4000);
  Resampler<float> together(44'100, 48'000, ResamplerQuality::kStandard, 5);
  const Buffer all = resampled(together, in.planar());
  for (std::size_t channel = 0; channel < 5; ++channel) {
    Resampler<float> alone(44'100, 48'000, ResamplerQuality::kStandard, 1);
    const Buffer one = resampled(alone, in.planar().slice_channels(channel, 1));
    CHECK(n_different(one.planar(), all.planar().slice_channels(channel, 1)) == 0);
  }
}

void a_stream_that_starts_elsewhere_computes_each_moment_alike() {
  constexpr std::size_t kFrames = 5000;
  constexpr std::int64_t kLater = 11;  // output frames
  for (const Rates& rates : kRates) {
    Viewed resampler(rates, 1);
    const auto [up, down] = std::pair(resampler.plan.up, resampler.plan.down);
    const Buffer in = noise(1, kFrames);
    const Buffer expected(1, 30'000);
    const std::size_t produced = resampler.view.process(in.planar(), expected.planar()).produced;
    for (const std::int64_t silent : {0, 1, 2, 3, 50}) {
      const Buffer behind_silence = constant(1, kFrames + static_cast<std::size_t>(silent), 0.0F);
      std::copy_n(in.planar().row(0), kFrames, behind_silence.planar().row(0) + silent);
      // The same frames, but for some that are left out, or silence that comes before.
      const std::int64_t earlier = std::min(silent * up / down, std::int64_t{5});
      for (const std::int64_t moved : {-earlier, std::int64_t{0}, kLater}) {
        resampler.view.start(down - 1 + moved * down, silent);
        const Buffer out(1, 40'000);
        static_cast<void>(resampler.view.process(behind_silence.planar(), out.planar()));
        const auto part = [&](const Buffer& whole, std::int64_t begin) {
          return whole.planar().slice_frames(static_cast<std::size_t>(std::max<std::int64_t>(begin, 0)),
                                             produced - static_cast<std::size_t>(kLater));
        };
        CHECK(n_different(part(out, -moved), part(expected, moved)) == 0);
      }
    }
  }
}

void a_reset_resampler_is_a_fresh_one() {
  for (const Rates& rates : kRates) {
    Resampler<float> resampler(rates.from_hz, rates.to_hz, ResamplerQuality::kStandard, 2);
    const Buffer in = noise(2, 3000);
    const Buffer first = resampled(resampler, in.planar());
    resampler.reset();
    const Buffer second = resampled(resampler, in.planar());
    CHECK(n_different(second.planar(), first.planar()) == 0);
  }
}

// The centre of gravity of the output for one impulse, which is exact for a symmetric filter. In output frames.
template <typename Real>
double measured_latency(const Rates& rates, ResamplerQuality quality) {
  constexpr std::size_t kAt = 1000;
  Resampler<Real> resampler(rates.from_hz, rates.to_hz, quality, 1);
  const Buffer in = impulse(1, 2 * kAt + 4 * resampler.plan().taps, kAt);
  const Buffer out = resampled(resampler, in.planar());
  double moment = 0.0;
  double sum = 0.0;
  for (std::size_t frame = 0; frame < out.planar().frames; ++frame) {
    const auto value = static_cast<double>(at(out.planar(), 0, frame));
    moment += value * static_cast<double>(frame);
    sum += value;
  }
  return moment / sum -
         static_cast<double>(kAt) * static_cast<double>(rates.to_hz) / static_cast<double>(rates.from_hz);
}

void latency_declared_is_latency_measured() {
  constexpr double kFrames = 0.001;  // the sampled filter's moments are not those of the continuous one
  for (const Rates& rates : {kRates[0], kRates[1], kRates[3], kRates[4]}) {
    for (const ResamplerQuality quality : kQualities) {
      const Resampler<double> resampler(rates.from_hz, rates.to_hz, quality, 1);
      CHECK(std::abs(measured_latency<double>(rates, quality) - resampler.latency()) <= kFrames);
    }
  }
  const Resampler<float> standard(44'100, 48'000, ResamplerQuality::kStandard, 1);
  const Resampler<float> low(44'100, 48'000, ResamplerQuality::kLowLatency, 1);
  CHECK(standard.latency() <= 54.0);
  CHECK(low.latency() <= 18.0);
}

}  // namespace

int main() {
  return run_tests({
      TEST(frames_out_are_frames_in_times_the_ratio_rounded_down),
      TEST(how_input_and_output_are_cut_changes_no_bit),
      TEST(channels_do_not_touch_each_other),
      TEST(a_stream_that_starts_elsewhere_computes_each_moment_alike),
      TEST(a_reset_resampler_is_a_fresh_one),
      TEST(latency_declared_is_latency_measured),
  });
}
