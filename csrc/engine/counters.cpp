#include "engine/counters.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace neutone::engine {

void Counters::add_time(std::uint64_t nanoseconds) noexcept {
  std::uint64_t longest = longest_ns_.load(std::memory_order_relaxed);
  while (nanoseconds > longest && !longest_ns_.compare_exchange_weak(longest, nanoseconds, std::memory_order_relaxed)) {
  }
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
  const std::uint64_t n_before = n_times_.fetch_add(1, std::memory_order_relaxed);
  latest_ns_[n_before % kTimes].store(static_cast<std::uint32_t>(std::min(nanoseconds, kMost)),
                                      std::memory_order_relaxed);
}

Stats Counters::stats() const noexcept {
  const auto value = [](const Count& count) { return count.load(std::memory_order_relaxed); };
  Stats stats{.callbacks = value(callbacks),
              .blocks = value(blocks),
              .late_blocks = value(late_blocks),
              .missing_samples = value(missing_samples),
              .refused_callbacks = value(refused_callbacks),
              .failed_blocks = value(failed_blocks),
              .muted_blocks = value(muted_blocks)};
  const auto n_times = static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(value(n_times_), kTimes));
  if (n_times == 0) return stats;
  std::array<std::uint32_t, kTimes> times;  // NOLINT(*-member-init): written before it is read
  for (std::size_t i = 0; i < static_cast<std::size_t>(n_times); ++i) {
    times[i] = latest_ns_[i].load(std::memory_order_relaxed);
  }
  const auto percentile_us = [&times, n_times](std::ptrdiff_t percent) {
    const auto nth = times.begin() + (n_times - 1) * percent / 100;
    std::nth_element(times.begin(), nth, times.begin() + n_times);
    return static_cast<double>(*nth) / 1e3;
  };
  stats.worker_p50_us = percentile_us(50);
  stats.worker_p99_us = percentile_us(99);
  stats.worker_max_us = static_cast<double>(value(longest_ns_)) / 1e3;
  return stats;
}

void Counters::reset() noexcept {
  for (Count* count : {&callbacks, &blocks, &late_blocks, &missing_samples, &refused_callbacks, &failed_blocks,
                       &muted_blocks, &n_times_, &longest_ns_}) {
    count->store(0, std::memory_order_relaxed);
  }
}

}  // namespace neutone::engine
