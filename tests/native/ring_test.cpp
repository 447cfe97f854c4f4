#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>

#include "buffer.h"
#include "check.h"
#include "dsp/spsc_ring.h"
#include "stamps.h"

using neutone::dsp::RingCursors;
using neutone::dsp::RingView;
using neutone::dsp::SpscRing;
using neutone::test::at;
using neutone::test::Buffer;
using neutone::test::check_next;
using neutone::test::check_stamps;
using neutone::test::check_throws;
using neutone::test::write_stamps;

namespace {

void the_capacity_is_rounded_up_to_a_power_of_two() {
  constexpr std::array<std::array<std::size_t, 2>, 7> kCapacities{
      {{1, 1}, {2, 2}, {3, 4}, {5, 8}, {1000, 1024}, {1024, 1024}, {1025, 2048}}};
  for (const auto [asked, expected] : kCapacities) {
    SpscRing<float> ring(3, asked);
    CHECK(ring->capacity() == expected);
    CHECK(ring->channels() == 3);
    CHECK(ring->size() == 0);
  }
}

void a_ring_without_channels_or_frames_is_refused() {
  check_throws<std::invalid_argument>([] { const SpscRing<float> refused(0, 8); });
  check_throws<std::invalid_argument>([] { const SpscRing<float> refused(1, 0); });
}

void a_ring_that_no_memory_holds_is_refused() {
  constexpr std::size_t kMax = std::numeric_limits<std::size_t>::max();
  constexpr std::array<std::array<std::size_t, 2>, 5> kShapes{
      {{1, kMax}, {kMax, 1}, {2, kMax / 2 + 2}, {std::size_t{1} << 40U, std::size_t{1} << 40U}, {kMax / 16, 1}}};
  for (const auto [channels, frames] : kShapes) {
    check_throws<std::invalid_argument>([&] { const SpscRing<float> refused(channels, frames); });
  }
}

void storage_that_is_no_power_of_two_is_refused() {
  RingCursors cursors;
  for (const std::size_t frames : {0U, 3U, 6U, 1000U}) {
    const Buffer storage(2, frames);
    check_throws<std::invalid_argument>([&] { const RingView<float> refused(storage.planar(), cursors); });
  }
  const Buffer no_channels(0, 8);
  check_throws<std::invalid_argument>([&] { const RingView<float> refused(no_channels.planar(), cursors); });
}

void an_empty_ring_gives_nothing() {
  SpscRing<float> ring(2, 8);
  const Buffer out(2, 8);
  CHECK(ring->read(out.planar()) == 0);
  CHECK(ring->peek(out.planar()) == 0);
  CHECK(ring->newest(out.planar()) == 0);
  CHECK(ring->skip(8) == 0);
  CHECK(ring->readable(8).frames() == 0);
  CHECK(at(out.planar(), 0, 0) == Buffer::kUntouched);
}

void a_write_takes_what_fits_and_overwrites_nothing() {
  SpscRing<float> ring(2, 8);
  CHECK(write_stamps(ring.view(), 5, 0) == 5);
  CHECK(write_stamps(ring.view(), 5, 5) == 3);
  CHECK(ring->size() == 8);
  CHECK(write_stamps(ring.view(), 5, 100) == 0);
  check_next(ring.view(), 8, 0);
  CHECK(ring->size() == 0);
}

void a_write_of_more_than_the_capacity_fills_the_ring() {
  SpscRing<float> ring(2, 8);
  CHECK(write_stamps(ring.view(), 100, 0) == 8);
  check_next(ring.view(), 8, 0);
}

void a_read_takes_what_is_there_and_leaves_the_rest_of_the_output() {
  SpscRing<float> ring(2, 8);
  CHECK(write_stamps(ring.view(), 3, 0) == 3);
  const Buffer out(2, 5);
  CHECK(ring->read(out.planar()) == 3);
  check_stamps(out.first(3), 0);
  CHECK(at(out.planar(), 0, 3) == Buffer::kUntouched);
  CHECK(at(out.planar(), 1, 4) == Buffer::kUntouched);
}

void frames_survive_the_wrap_at_every_position() {
  for (std::size_t start = 0; start < 8; ++start) {
    for (std::size_t frames = 0; frames <= 8; ++frames) {
      SpscRing<float> ring(2, 8);
      CHECK(write_stamps(ring.view(), start, 0) == start);
      CHECK(ring->skip(start) == start);
      CHECK(write_stamps(ring.view(), frames, start) == frames);
      check_next(ring.view(), frames, start);
    }
  }
}

void a_ring_of_one_frame_works() {
  SpscRing<float> ring(2, 1);
  for (std::uint64_t frame = 0; frame < 4; ++frame) {
    CHECK(write_stamps(ring.view(), 2, frame) == 1);
    check_next(ring.view(), 1, frame);
  }
}

void peek_leaves_the_frames() {
  SpscRing<float> ring(2, 8);
  CHECK(write_stamps(ring.view(), 6, 0) == 6);
  const Buffer out(2, 4);
  CHECK(ring->peek(out.planar()) == 4);
  check_stamps(out.planar(), 0);
  CHECK(ring->size() == 6);
  check_next(ring.view(), 6, 0);
}

void skip_drops_the_oldest() {
  SpscRing<float> ring(2, 8);
  CHECK(write_stamps(ring.view(), 6, 0) == 6);
  CHECK(ring->skip(2) == 2);
  CHECK(ring->skip(0) == 0);
  check_next(ring.view(), 1, 2);
  CHECK(ring->skip(100) == 3);
  CHECK(ring->size() == 0);
}

void newest_gives_the_latest_frames_oldest_first() {
  SpscRing<float> ring(2, 8);
  CHECK(write_stamps(ring.view(), 5, 0) == 5);
  CHECK(ring->skip(3) == 3);  // the consumer has looked: what it knows of is out of date after the next write
  CHECK(write_stamps(ring.view(), 6, 5) == 6);
  for (std::size_t frames = 0; frames <= 8; ++frames) {
    const Buffer out(2, frames);
    CHECK(ring->newest(out.planar()) == frames);
    check_stamps(out.planar(), 11 - frames);
  }
  const Buffer longer(2, 20);
  CHECK(ring->newest(longer.planar()) == 8);
  check_stamps(longer.first(8), 3);
  CHECK(at(longer.planar(), 1, 8) == Buffer::kUntouched);
  check_next(ring.view(), 8, 3);
}

void reset_forgets_the_frames() {
  SpscRing<float> ring(2, 8);
  CHECK(write_stamps(ring.view(), 5, 0) == 5);
  check_next(ring.view(), 2, 0);
  ring->reset();
  CHECK(ring->size() == 0);
  CHECK(write_stamps(ring.view(), 9, 50) == 8);
  check_next(ring.view(), 8, 50);
}

}  // namespace

int main() {
  return neutone::test::run_tests(
      {TEST(the_capacity_is_rounded_up_to_a_power_of_two), TEST(a_ring_without_channels_or_frames_is_refused),
       TEST(a_ring_that_no_memory_holds_is_refused), TEST(storage_that_is_no_power_of_two_is_refused),
       TEST(an_empty_ring_gives_nothing), TEST(a_write_takes_what_fits_and_overwrites_nothing),
       TEST(a_write_of_more_than_the_capacity_fills_the_ring),
       TEST(a_read_takes_what_is_there_and_leaves_the_rest_of_the_output),
       TEST(frames_survive_the_wrap_at_every_position), TEST(a_ring_of_one_frame_works), TEST(peek_leaves_the_frames),
       TEST(skip_drops_the_oldest), TEST(newest_gives_the_latest_frames_oldest_first), TEST(reset_forgets_the_frames)});
}
