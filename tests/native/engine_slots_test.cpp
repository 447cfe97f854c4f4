// Both threads' steps of handing blocks over, in the orders in which they can meet.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>

#include "check.h"
#include "engine/block_slots.h"
#include "engine_models.h"

using namespace neutone::test;  // NOLINT(google-build-using-namespace): all of it is for these tests
using neutone::engine::Block;
using neutone::engine::BlockSlots;

namespace {

constexpr std::size_t kSlots = 3;

// The audio thread's whole step with a block; returns whether it had a slot.
bool hand_over(BlockSlots& slots, std::uint64_t number) {
  Block* const block = slots.begin(number);
  if (block != nullptr) block->audio.data[0] = static_cast<float>(number);
  slots.publish(number, block != nullptr);
  return block != nullptr;
}

bool holds(const Block* block, std::uint64_t number) {
  return block != nullptr && block->audio.data[0] == static_cast<float>(number);
}

void blocks_go_there_and_back_in_their_order() {
  BlockSlots slots(format_of(16), kSlots);
  CHECK(!slots.has_block());
  for (std::uint64_t number = 0; number < 20; ++number) {
    CHECK(!slots.is_on_its_way(number));
    CHECK(hand_over(slots, number));
    CHECK(slots.is_on_its_way(number));
    CHECK(slots.finished(number) == nullptr);
    CHECK(slots.has_block());
    CHECK(holds(slots.take(), number));
    CHECK(slots.is_on_its_way(number));
    slots.finish();
    CHECK(!slots.is_on_its_way(number));
    CHECK(holds(slots.finished(number), number));
    CHECK(slots.finished(number + kSlots) == nullptr);
    CHECK(!slots.has_block());
  }
}

void a_slot_that_is_run_in_is_not_touched() {
  BlockSlots slots(format_of(16), kSlots);
  CHECK(hand_over(slots, 0));
  const Block* const running = slots.take();
  CHECK(hand_over(slots, 1));
  CHECK(hand_over(slots, 2));
  CHECK(!hand_over(slots, 3));
  CHECK(holds(running, 0));
  CHECK(!slots.is_on_its_way(3));  // nobody waits for it
  slots.finish();
  CHECK(slots.finished(3) == nullptr);
  CHECK(holds(slots.take(), 1));
  slots.finish();
  CHECK(holds(slots.take(), 2));
  slots.finish();
  CHECK(slots.take() == nullptr);
  CHECK(hand_over(slots, 4));
  CHECK(holds(slots.take(), 4));
}

void a_block_that_nobody_has_begun_gives_way_to_a_newer_one() {
  BlockSlots slots(format_of(16), kSlots);
  for (std::uint64_t number = 0; number < 5; ++number) CHECK(hand_over(slots, number));
  CHECK(!slots.is_on_its_way(0));
  CHECK(!slots.is_on_its_way(1));
  for (std::uint64_t number = 2; number < 5; ++number) {
    CHECK(holds(slots.take(), number));
    slots.finish();
    CHECK(holds(slots.finished(number), number));
  }
  CHECK(slots.take() == nullptr);
}

void blocks_of_no_use_are_left_out() {
  BlockSlots slots(format_of(16), kSlots);
  for (std::uint64_t number = 0; number < 3; ++number) CHECK(hand_over(slots, number));
  slots.forget_before(2);
  CHECK(holds(slots.take(), 2));
  slots.finish();
  slots.forget_before(9);  // beyond what there is
  CHECK(slots.take() == nullptr);
  CHECK(hand_over(slots, 3));
  CHECK(slots.take() == nullptr);
}

// A worker that is hardly ever in time, so that slots are taken from it in the moment in which it begins to run them.
void two_threads_never_meet_in_a_slot() {
  constexpr std::uint64_t kRun = 300'000;           // so many are run, unless both threads share a processor:
  constexpr std::uint64_t kHandedOver = 5'000'000;  // then it takes too long
  BlockSlots slots(format_of(16, 48'000, 1), 2);
  std::atomic<bool> is_over{false};
  std::atomic<std::uint64_t> n_run{0};
  std::size_t n_disturbed = 0;
  std::thread worker([&] {
    while (!is_over || slots.has_block()) {
      const Block* const block = slots.take();
      if (block == nullptr) continue;
      const float* const samples = block->audio.data;
      const float first = samples[0];
      if (!std::all_of(samples, samples + 16, [first](float sample) { return sample == first; })) ++n_disturbed;
      ++n_run;
      slots.finish();
    }
  });
  for (std::uint64_t number = 0; number < kHandedOver && n_run < kRun; ++number) {
    const Block* const block = slots.begin(number);
    if (block != nullptr) std::fill_n(block->audio.data, 16, static_cast<float>(number));
    slots.publish(number, block != nullptr);
  }
  is_over = true;
  worker.join();
  CHECK(n_run > 0);
  CHECK(n_disturbed == 0);
}

}  // namespace

int main() {
  return run_tests({TEST(blocks_go_there_and_back_in_their_order), TEST(a_slot_that_is_run_in_is_not_touched),
                    TEST(a_block_that_nobody_has_begun_gives_way_to_a_newer_one), TEST(blocks_of_no_use_are_left_out),
                    TEST(two_threads_never_meet_in_a_slot)});
}
