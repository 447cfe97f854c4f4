#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>

#include "buffer.h"
#include "check.h"
#include "dsp/spsc_ring.h"
#include "stamps.h"

using neutone::dsp::kCacheLineBytes;
using neutone::dsp::RingCursors;
using neutone::dsp::RingView;
using neutone::dsp::SpscRing;
using neutone::test::at;
using neutone::test::Buffer;
using neutone::test::check_next;
using neutone::test::check_stamps;
using neutone::test::fill_stamps;
using neutone::test::kLayouts;
using neutone::test::Layout;
using neutone::test::stamp;
using neutone::test::stamped;
using neutone::test::write_stamps;

namespace {

// What the threads write stands on lines of its own, each side's counter with the same side's view of the other.
static_assert(offsetof(RingCursors, written) == 0);
static_assert(offsetof(RingCursors, read_seen) < kCacheLineBytes);
static_assert(offsetof(RingCursors, read) == kCacheLineBytes);
static_assert(offsetof(RingCursors, written_seen) < 2 * kCacheLineBytes);
static_assert(alignof(SpscRing<float>) == kCacheLineBytes);
static_assert(sizeof(SpscRing<float>) > sizeof(RingCursors));

void every_row_starts_on_a_cache_line_of_its_own() {
  for (const std::size_t channels : {1U, 2U, 5U}) {
    SpscRing<float> ring(channels, 64);
    const auto all = ring->reserve(64);
    for (std::size_t channel = 0; channel < channels; ++channel) {
      CHECK(reinterpret_cast<std::uintptr_t>(all.head.row(channel)) % kCacheLineBytes == 0);
    }
  }
}

void reserved_frames_are_there_once_published() {
  SpscRing<float> ring(2, 8);
  CHECK(write_stamps(ring.view(), 6, 100) == 6);
  CHECK(ring->skip(6) == 6);
  const auto room = ring->reserve(5);
  CHECK(room.head.frames == 2);
  CHECK(room.tail.frames == 3);
  fill_stamps(room.head, 0);
  fill_stamps(room.tail, 2);
  CHECK(ring->size() == 0);
  ring->publish(4);  // fewer than reserved: the fifth never was
  CHECK(ring->size() == 4);
  CHECK(write_stamps(ring.view(), 1, 4) == 1);
  check_next(ring.view(), 5, 0);
}

void reserve_gives_no_more_than_the_room() {
  SpscRing<float> ring(2, 8);
  CHECK(ring->reserve(100).frames() == 8);
  CHECK(write_stamps(ring.view(), 5, 0) == 5);
  CHECK(ring->reserve(100).frames() == 3);
  CHECK(ring->skip(1) == 1);
  CHECK(ring->reserve(3).frames() == 3);
  CHECK(ring->reserve(100).frames() == 4);
}

void readable_frames_stay_until_consumed() {
  SpscRing<float> ring(2, 8);
  CHECK(write_stamps(ring.view(), 6, 0) == 6);
  CHECK(ring->skip(6) == 6);
  CHECK(write_stamps(ring.view(), 8, 6) == 8);
  const auto ready = ring->readable(7);
  CHECK(ready.head.frames == 2);
  CHECK(ready.tail.frames == 5);
  check_stamps(ready.head, 6);
  check_stamps(ready.tail, 8);
  CHECK(write_stamps(ring.view(), 1, 14) == 0);
  ring->consume(3);
  CHECK(write_stamps(ring.view(), 4, 14) == 3);
  check_next(ring.view(), 8, 9);
}

void a_region_can_be_cut_into_channels() {
  SpscRing<float> ring(2, 8);
  CHECK(write_stamps(ring.view(), 6, 0) == 6);
  CHECK(ring->skip(5) == 5);
  CHECK(write_stamps(ring.view(), 3, 6) == 3);
  const auto right = ring->readable(4).slice_channels(1, 1);
  CHECK(right.frames() == 4);
  CHECK(right.head.channels == 1);
  CHECK(at(right.head, 0, 0) == stamp(1, 5));
  CHECK(at(right.tail, 0, 0) == stamp(1, 8));
}

// The counters may lie in memory that a file was loaded into. Every frame beside the storage must stay as it was.
void whatever_the_counters_hold_no_access_leaves_the_storage() {
  std::mt19937_64 random(neutone::test::seed());
  for (int i = 0; i < 2000; ++i) {
    const Buffer memory = stamped(2, 24, 0);
    RingCursors cursors;
    for (auto* counter : {&cursors.written, &cursors.read, &cursors.read_seen, &cursors.written_seen}) {
      *counter = random() >> (random() % 64);
    }
    RingView<float> ring(memory.planar().slice_frames(8, 8), cursors);
    const Buffer block(2, 20);
    CHECK(ring.size() <= 8);
    CHECK(ring.write(block.planar()) <= 8);
    CHECK(ring.peek(block.planar()) <= 8);
    CHECK(ring.newest(block.planar()) <= 8);
    CHECK(ring.skip(20) <= 8);
    CHECK(ring.reserve(20).frames() <= 8);
    CHECK(ring.readable(20).frames() <= 8);
    CHECK(ring.read(block.planar()) <= 8);
    check_stamps(memory.first(8), 0);
    check_stamps(memory.planar().slice_frames(16, 8), 16);
  }
}

void counters_go_on_past_32_and_64_bits() {
  for (const std::uint64_t start : {(std::uint64_t{1} << 32U) - 3, std::numeric_limits<std::uint64_t>::max() - 2}) {
    const Buffer storage(2, 8);
    RingCursors cursors;
    cursors.written = cursors.read = cursors.read_seen = cursors.written_seen = start;
    RingView<float> ring(storage.planar(), cursors);
    for (std::uint64_t frame = 0; frame < 20; frame += 5) {
      CHECK(write_stamps(ring, 5, frame) == 5);
      CHECK(ring.size() == 5);
      check_next(ring, 5, frame);
    }
    CHECK(cursors.read == start + 20);
    CHECK(write_stamps(ring, 9, 20) == 8);
  }
}

void input_output_and_storage_may_have_any_strides() {
  for (const Layout in : kLayouts) {
    for (const Layout held : kLayouts) {
      for (const Layout out : kLayouts) {
        const Buffer storage(2, 8, held);
        RingCursors cursors;
        RingView<float> ring(storage.planar(), cursors);
        for (std::uint64_t frame = 0; frame < 15; frame += 5) {
          CHECK(ring.write(stamped(2, 5, frame, in).planar()) == 5);
          const Buffer result(2, 5, out);
          CHECK(ring.read(result.planar()) == 5);
          check_stamps(result.planar(), frame);
        }
      }
    }
  }
}

void a_frame_stride_of_zero_repeats_one_value() {
  SpscRing<float> ring(2, 8);
  const std::array knobs{0.25F, 0.75F};
  CHECK(write_stamps(ring.view(), 6, 0) == 6);
  CHECK(ring->skip(6) == 6);
  CHECK(ring->write({knobs.data(), 2, 5, 1, 0}) == 5);
  const Buffer out(2, 5);
  CHECK(ring->read(out.planar()) == 5);
  for (std::size_t frame = 0; frame < 5; ++frame) {
    CHECK(at(out.planar(), 0, frame) == 0.25F);
    CHECK(at(out.planar(), 1, frame) == 0.75F);
  }
}

}  // namespace

int main() {
  return neutone::test::run_tests(
      {TEST(every_row_starts_on_a_cache_line_of_its_own), TEST(reserved_frames_are_there_once_published),
       TEST(reserve_gives_no_more_than_the_room), TEST(readable_frames_stay_until_consumed),
       TEST(a_region_can_be_cut_into_channels), TEST(whatever_the_counters_hold_no_access_leaves_the_storage),
       TEST(counters_go_on_past_32_and_64_bits), TEST(input_output_and_storage_may_have_any_strides),
       TEST(a_frame_stride_of_zero_repeats_one_value)});
}
