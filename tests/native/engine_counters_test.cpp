// What an engine counts, and what it says of it.

#include <cstdint>

#include "check.h"
#include "engine/counters.h"

using namespace neutone::test;  // NOLINT(google-build-using-namespace): all of it is for these tests
using neutone::engine::Counters;
using neutone::engine::Losses;
using neutone::engine::Stats;

namespace {

void each_count_has_its_own_name() {
  Counters counters;
  std::uint64_t count = 0;
  for (Counters::Count* counter : {&counters.callbacks, &counters.blocks, &counters.late_blocks,
                                   &counters.missing_samples, &counters.refused_callbacks}) {
    Counters::add(*counter, ++count);
  }
  counters.failed_blocks = 6;
  counters.muted_blocks = 7;
  const Stats stats = counters.stats();
  CHECK(stats.callbacks == 1);
  CHECK(stats.blocks == 2);
  CHECK(stats.late_blocks == 3);
  CHECK(stats.missing_samples == 4);
  CHECK(stats.refused_callbacks == 5);
  CHECK(stats.failed_blocks == 6);
  CHECK(stats.muted_blocks == 7);
  const Losses losses = counters.losses();
  CHECK(losses.late_blocks == 3);
  CHECK(losses.missing_samples == 4);
}

void times_are_those_of_the_latest_thousand_and_the_longest_that_of_all() {
  Counters counters;
  CHECK(counters.stats().worker_p50_us == 0.0);
  CHECK(counters.stats().worker_max_us == 0.0);
  for (std::uint64_t us = 5000; us > 0; --us) counters.add_time(1000 * us);  // of the latest, 1024 to 1 are left
  CHECK(counters.stats().worker_p50_us == 512.0);
  CHECK(counters.stats().worker_p99_us == 1013.0);
  CHECK(counters.stats().worker_max_us == 5000.0);
}

void nothing_is_left_after_a_reset() {
  Counters counters;
  for (Counters::Count* counter :
       {&counters.callbacks, &counters.blocks, &counters.late_blocks, &counters.missing_samples,
        &counters.refused_callbacks, &counters.failed_blocks, &counters.muted_blocks}) {
    *counter = 1;
  }
  counters.add_time(1000);
  counters.reset();
  const Stats stats = counters.stats();
  CHECK(stats.callbacks + stats.blocks + stats.late_blocks + stats.missing_samples + stats.refused_callbacks == 0);
  CHECK(stats.failed_blocks + stats.muted_blocks == 0);
  CHECK(stats.worker_p50_us + stats.worker_p99_us + stats.worker_max_us == 0.0);
}

}  // namespace

int main() {
  return run_tests({TEST(each_count_has_its_own_name),
                    TEST(times_are_those_of_the_latest_thousand_and_the_longest_that_of_all),
                    TEST(nothing_is_left_after_a_reset)});
}
