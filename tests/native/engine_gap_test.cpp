// Where output is missing, when resampled and not: how long, what stands in, and how it begins and ends.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "buffer.h"
#include "check.h"
#include "dsp/planar.h"
#include "dsp/resampler_design.h"
#include "engine/engine.h"
#include "engine_models.h"
#include "late_engine.h"

using namespace neutone::test;  // NOLINT(google-build-using-namespace): all of it is for these tests

namespace {

std::size_t first_difference(const Audio& actual, const Audio& expected) {
  std::size_t frame = 0;
  while (frame < actual.frames && n_different(actual.slice_frames(frame, 1), expected.slice_frames(frame, 1)) == 0) {
    ++frame;
  }
  return frame;
}

// Frames that a window of the resampler's reaches into are missing with it; all others are the same bit for bit.
void what_is_in_time_is_exact_when_resampled() {
  for (const std::int64_t host_hz : {44'100, 96'000}) {
    Late late(format_of(kBlock), host_at(host_hz), {});
    Late in_time(format_of(kBlock), host_at(host_hz), {});
    late.play_in_time(21);
    late.play_late(late.latency() / kHostBlock + 2);
    late.catch_up();
    late.play_in_time(100);
    in_time.play_in_time(late.position() / kHostBlock);
    CHECK(in_time.engine().stats().missing_samples == 0);
    CHECK(late.engine().stats().late_blocks >= 1);
    CHECK(n_different(late.output(), in_time.output()) == late.engine().stats().missing_samples);
  }
}

// Between its fades a gap is what stands in for it, exactly; it ends with the last window that reaches into it.
void a_gap_is_as_long_as_it_has_to_be_when_resampled() {
  constexpr float kGain = -3.0F;
  for (const std::int64_t host_hz : {44'100, 96'000}) {
    const auto to_host = neutone::dsp::plan_resampler(48'000, host_hz, neutone::dsp::ResamplerQuality::kStandard);
    for (const LateOutput late_output : {LateOutput::kSilence, LateOutput::kDry}) {
      const Buffer in = noise(2, kFrames);
      Late late(format_of(kBlock), host_at(host_hz), {.late_output = late_output}, kGain, in);
      Late in_time(format_of(kBlock), host_at(host_hz), {}, kGain, in);
      late.play_in_time(21);
      late.play_late(late.latency() / kHostBlock + 4);
      late.catch_up();
      const std::size_t back = late.position();
      late.play_in_time(10);
      in_time.play_in_time(late.position() / kHostBlock);
      const std::size_t begin = first_difference(late.output(), in_time.output());
      CHECK(begin + 2 * kFade < back);
      const Buffer dry = delayed(late.input(), late.latency(), late_output == LateOutput::kDry ? 1.0F : 0.0F);
      const std::size_t n_filled = back - begin - kFade;
      check_equal(late.output().slice_frames(begin + kFade, n_filled),
                  dry.planar().slice_frames(begin + kFade, n_filled));
      const auto n_reached = 2 * to_host.half_taps * static_cast<std::size_t>(to_host.up);
      const std::size_t end = back + n_reached / static_cast<std::size_t>(to_host.down) + 1;
      const std::size_t n_right = late.position() - end;
      check_equal(late.output().slice_frames(end, n_right), in_time.output().slice_frames(end, n_right));
    }
  }
}

// Two channels of constant signals.
Buffer constants(float left, float right) {
  Buffer buffer(2, kFrames);
  std::fill_n(buffer.planar().row(0), kFrames, left);
  std::fill_n(buffer.planar().row(1), kFrames, right);
  return buffer;
}

// The largest difference between neighbours in a channel, from `first` on.
float largest_step(const Audio& audio, std::size_t channel, std::size_t first) {
  float largest = 0.0F;
  for (std::size_t frame = first + 1; frame < audio.frames; ++frame) {
    largest = std::max(largest, std::abs(at(audio, channel, frame) - at(audio, channel, frame - 1)));
  }
  return largest;
}

// Gaps of any length, of which some begin while the output is still coming back from the one before.
void no_gap_begins_or_ends_with_a_step() {
  constexpr std::size_t kSmall = 32;
  for (const std::int64_t host_hz : {48'000, 44'100, 96'000}) {
    for (const LateOutput late_output : {LateOutput::kSilence, LateOutput::kDry}) {
      const float gain = late_output == LateOutput::kDry ? -0.5F : 1.0F;
      const HostFormat host{.sample_rate_hz = host_hz, .max_block_frames = kSmall, .has_constant_blocks = true};
      Late late(format_of(kSmall), host, {.late_output = late_output}, gain, constants(1.0F, 0.25F));
      late.play_in_time(40);
      const std::size_t first = late.position();
      for (std::size_t i = 0; i < 60; ++i) {
        late.play_late(1 + i % 11);
        late.catch_up();
        late.play_in_time(i % 7);
      }
      // The fades are shorter where there is a window: half as long as that.
      const float most = (1.0F - std::min(gain, 0.0F)) / (host_hz == 48'000 ? 63.99F : 16.0F);
      CHECK(late.engine().stats().late_blocks > 10);
      CHECK(largest_step(late.output(), 0, first) <= most);
      CHECK(largest_step(late.output(), 1, first) <= most / 4);
    }
  }
}

// Neither does what was missing before it go on fading.
void a_reset_in_a_gap_ends_it() {
  for (const std::int64_t host_hz : {48'000, 44'100, 96'000}) {
    const Buffer in = noise(2, kFrames);
    Late late(format_of(kBlock), host_at(host_hz), {}, 1.0F, in);
    late.play_in_time(21);
    late.play_late(late.latency() / kHostBlock + 3);
    const std::size_t start = late.position();
    const std::uint64_t missing = late.engine().stats().missing_samples;
    CHECK(missing > 0);
    late.engine().reset();
    late.catch_up();
    late.play_in_time(60);
    const std::size_t count = late.position() - start;
    const Buffer rest(2, kFrames);
    neutone::dsp::copy_frames<float>(late.input().slice_frames(start, count), rest.first(count));
    Late fresh(format_of(kBlock), host_at(host_hz), {}, 1.0F, rest);
    fresh.play_in_time(count / kHostBlock);
    check_equal(late.output().slice_frames(start, count), fresh.output());
    CHECK(late.engine().stats().missing_samples == missing);
  }
}

}  // namespace

int main() {
  return run_tests({TEST(what_is_in_time_is_exact_when_resampled),
                    TEST(a_gap_is_as_long_as_it_has_to_be_when_resampled), TEST(no_gap_begins_or_ends_with_a_step),
                    TEST(a_reset_in_a_gap_ends_it)});
}
