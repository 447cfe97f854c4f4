// A worker that is late by plan: a gate that the test opens holds each block back.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <thread>

#include "buffer.h"
#include "check.h"
#include "engine/engine.h"
#include "engine_models.h"
#include "late_engine.h"

using namespace neutone::test;  // NOLINT(google-build-using-namespace): all of it is for these tests
using neutone::engine::Stats;

namespace {

constexpr std::size_t kLatency = 2 * kBlock;

// What the frame is where a gap of silence or `other` began at frame `begin`, and what is right came back at `end`.
float filled(const Audio& right, const Audio& other, std::size_t channel, std::size_t frame, std::size_t begin,
             std::size_t end) {
  if (frame < begin || frame >= end + kFade) return at(right, channel, frame);
  const float held = 1.0F - static_cast<float>(std::min(frame - begin + 1, kFade)) / static_cast<float>(kFade);
  float value = other.data == nullptr ? 0.0F : at(other, channel, frame);
  value += held * (at(right, channel, begin - 1) - value);
  if (frame < end) return value;
  const float gain = static_cast<float>(frame - end + 1) / static_cast<float>(kFade + 1);
  return value + gain * (at(right, channel, frame) - value);
}

void check_gap(const Audio& actual, const Audio& right, const Audio& other, std::size_t begin, std::size_t end) {
  for (std::size_t channel = 0; channel < actual.channels; ++channel) {
    for (std::size_t frame = 0; frame < actual.frames; ++frame) {
      CHECK(at(actual, channel, frame) == filled(right, other, channel, frame, begin, end));
    }
  }
}

// Block 5 is full behind callback 11, and due in callbacks 14 and 15.
constexpr std::size_t kDue = 5 * kBlock + kLatency;

void a_block_that_misses_its_turn_is_silence_and_dropped() {
  Late late(format_of(kBlock), host_at(48'000), {});
  CHECK(late.latency() == kLatency);
  late.play_in_time(11);
  late.play_late(5);
  late.catch_up();
  late.play_in_time(20);
  check_gap(late.output(), delayed(late.input(), kLatency).planar(), {}, kDue, kDue + kBlock);
  const Stats stats = late.engine().stats();
  CHECK(stats.late_blocks == 1);
  CHECK(stats.missing_samples == kBlock + kFade);
  CHECK(stats.blocks == 18);
  CHECK(late.latency() == kLatency);
}

void a_block_that_comes_in_its_turn_plays_its_rest() {
  Late late(format_of(kBlock), host_at(48'000), {});
  late.play_in_time(11);
  late.play_late(4);
  late.catch_up();
  late.play_in_time(20);
  check_gap(late.output(), delayed(late.input(), kLatency).planar(), {}, kDue, kDue + kHostBlock);
  CHECK(late.engine().stats().late_blocks == 1);
  CHECK(late.engine().stats().missing_samples == kHostBlock + kFade);
}

void a_block_in_the_last_moment_is_in_time() {
  Late late(format_of(kBlock), host_at(48'000), {});
  late.play_in_time(11);
  late.play_late(3);
  late.catch_up();
  late.play_in_time(20);
  check_equal(late.output(), delayed(late.input(), kLatency).planar());
  CHECK(late.engine().stats().late_blocks == 0);
  CHECK(late.engine().stats().missing_samples == 0);
}

void missing_output_may_be_the_dry_signal() {
  constexpr float kGain = -3.0F;
  Late late(format_of(kBlock), host_at(48'000), {.late_output = LateOutput::kDry}, kGain);
  late.play_in_time(11);
  late.play_late(5);
  late.catch_up();
  late.play_in_time(20);
  const Buffer dry = delayed(late.input(), kLatency);
  check_gap(late.output(), delayed(late.input(), kLatency, kGain).planar(), dry.planar(), kDue, kDue + kBlock);
  CHECK(at(late.output(), 0, kDue + 2 * kFade) == at(dry.planar(), 0, kDue + 2 * kFade));
  CHECK(late.engine().stats().missing_samples == kBlock + kFade);
}

// So long that the blocks find no slots any more.
void a_worker_that_hangs_costs_what_is_missing_and_no_more() {
  Late late(format_of(kBlock), host_at(48'000), {});
  late.play_in_time(11);
  late.play_late(1);
  for (int i = 0; i < 5 + 1; ++i) late.gate().await_arrival();  // or the block is of no use when the worker gets to it
  late.play_late(59);
  late.catch_up();
  CHECK(late.gate().n_arrived() == 5 + 1 + 2);  // those in time, the one that hung, and of the others what is of use
  const std::size_t back = late.position();
  const std::uint64_t missing = late.engine().stats().missing_samples;
  late.play_in_time(60);
  const Buffer right = delayed(late.input(), kLatency);
  CHECK(n_different(late.output(), right.planar()) == late.engine().stats().missing_samples);
  CHECK(late.engine().stats().missing_samples - missing <= 3 * kBlock);
  const std::size_t settled = back + 4 * kBlock;
  const std::size_t count = late.position() - settled;
  check_equal(late.output().slice_frames(settled, count), right.planar().slice_frames(settled, count));
  CHECK(late.latency() == kLatency);
}

void what_comes_in_time_between_stalls_is_played() {
  Late late(format_of(kBlock), host_at(48'000), {});
  for (int i = 0; i < 20; ++i) {
    late.play_late(5);
    late.catch_up();
    late.play_in_time(7);
  }
  const Stats stats = late.engine().stats();
  CHECK(n_different(late.output(), delayed(late.input(), kLatency).planar()) == stats.missing_samples);
  CHECK(stats.missing_samples > 0);
  CHECK(stats.missing_samples < late.position() / 2);
}

// At half the speed nothing is ever in time; the host goes on, and hears it again when the model is fast enough.
void a_model_slower_than_real_time_is_silent_until_it_is_faster() {
  Late late(format_of(kBlock), host_at(48'000), {});
  for (int i = 0; i < 30; ++i) {
    late.play_late(4);
    if (i == 0) late.gate().await_arrival();
    late.gate().open();
    late.gate().await_arrival();  // it has gone on to a block that is still of use: there is one
  }
  constexpr std::size_t kLastHeard = kLatency + kBlock;  // the first block is in time: there has been no other before
  const std::size_t n_silent = late.position() - kLastHeard - kFade;
  check_delayed(late.input(), late.output().slice_frames(kLastHeard + kFade, n_silent), n_silent);
  CHECK(late.engine().stats().missing_samples == n_silent + kFade);
  late.catch_up();
  const std::size_t back = late.position();
  late.play_in_time(40);
  const std::size_t settled = back + 4 * kBlock;
  const std::size_t count = late.position() - settled;
  const Buffer right = delayed(late.input(), kLatency);
  check_equal(late.output().slice_frames(settled, count), right.planar().slice_frames(settled, count));
  CHECK(late.latency() == kLatency);
}

void an_engine_that_waits_loses_nothing_at_the_same_latency() {
  Late late(format_of(kBlock), host_at(48'000), {});
  late.play_in_time(11);
  late.play_late(3);  // the next callback would find a block missing
  late.engine().set_waiting(true);
  std::thread opener([&late] { late.gate().open(100); });
  late.play_late(40);
  opener.join();
  check_delayed(late.input(), late.output(), kLatency);
  CHECK(late.engine().losses().late_blocks == 0);
  CHECK(late.engine().losses().missing_samples == 0);
  CHECK(late.latency() == kLatency);
}

void an_engine_that_no_longer_waits_counts_what_is_late() {
  Late late(format_of(kBlock), host_at(48'000), {});
  late.engine().set_waiting(true);
  late.play_in_time(11);
  late.engine().set_waiting(false);
  late.play_late(5);
  late.catch_up();
  late.play_in_time(20);
  check_gap(late.output(), delayed(late.input(), kLatency).planar(), {}, kDue, kDue + kBlock);
  CHECK(late.engine().losses().late_blocks == 1);
  CHECK(late.engine().losses().missing_samples == kBlock + kFade);
}

void what_belongs_to_before_a_reset_is_never_heard() {
  Late late(format_of(kBlock), host_at(48'000), {});
  late.play_in_time(11);
  late.play_late(3);  // two blocks: one that runs, one that waits
  for (int i = 0; i < 6; ++i) late.gate().await_arrival();
  late.engine().reset();
  const std::size_t start = late.position();
  late.play_late(1);
  late.catch_up();  // the worker finishes the one and leaves out the other
  late.play_in_time(30);
  const std::size_t count = late.position() - start;
  check_delayed(late.input().slice_frames(start, count), late.output().slice_frames(start, count), kLatency);
  CHECK(late.engine().stats().missing_samples == 0);
  CHECK(late.gate().n_arrived() == 6 + count / kBlock);
}

void the_dry_signal_after_a_reset_is_as_late_as_before() {
  constexpr float kGain = -3.0F;
  Late late(format_of(kBlock), host_at(48'000), {.late_output = LateOutput::kDry}, kGain);
  late.play_in_time(7);
  late.engine().reset();
  const std::size_t start = late.position();
  late.play_in_time(11);
  late.play_late(5);
  late.catch_up();
  late.play_in_time(20);
  const std::size_t count = late.position() - start;
  const Audio in = late.input().slice_frames(start, count);
  check_gap(late.output().slice_frames(start, count), delayed(in, kLatency, kGain).planar(),
            delayed(in, kLatency).planar(), kDue, kDue + kBlock);
}

}  // namespace

int main() {
  return run_tests(
      {TEST(a_block_that_misses_its_turn_is_silence_and_dropped), TEST(a_block_that_comes_in_its_turn_plays_its_rest),
       TEST(a_block_in_the_last_moment_is_in_time), TEST(missing_output_may_be_the_dry_signal),
       TEST(a_worker_that_hangs_costs_what_is_missing_and_no_more), TEST(what_comes_in_time_between_stalls_is_played),
       TEST(a_model_slower_than_real_time_is_silent_until_it_is_faster),
       TEST(an_engine_that_waits_loses_nothing_at_the_same_latency),
       TEST(an_engine_that_no_longer_waits_counts_what_is_late), TEST(what_belongs_to_before_a_reset_is_never_heard),
       TEST(the_dry_signal_after_a_reset_is_as_late_as_before)});
}
