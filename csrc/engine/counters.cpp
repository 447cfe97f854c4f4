#include "counters.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

namespace neutone::engine {

void Counters::add_time(std::uint64_t nanoseconds) noexcept {
  std::uint64_t longest = longest_ns.load(std::memory_order_relaxed);
  while (nanoseconds > longest && !longest_ns.compare_exchange_weak(longest, nanoseconds, std::memory_order_relaxed)) {
  }
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
  const std::uint64_t n_before = n_times.fetch_add(1, std::memory_order_relaxed);
  latest_ns[n_before % kTimes].store(static_cast<std::uint32_t>(std::min(nanoseconds, kMost)),
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
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(value(n_times), kTimes));
  if (count == 0) return stats;
  std::array<std::uint32_t, kTimes> times;  // NOLINT(*-member-init): written before it is read
  for (std::size_t i = 0; i < count; ++i) {
    times[i] = latest_ns[i].load(std::memory_order_relaxed);
  }
  const auto percentile_us = [found = std::span(times).first(count)](std::size_t percent) {
    const std::size_t nth = (found.size() - 1) * percent / 100;
    std::ranges::nth_element(found, found.begin() + static_cast<std::ptrdiff_t>(nth));
    return static_cast<double>(found[nth]) / 1e3;
  };
  stats.worker_p50_us = percentile_us(50);
  stats.worker_p99_us = percentile_us(99);
  stats.worker_max_us = static_cast<double>(value(longest_ns)) / 1e3;
  return stats;
}

void Counters::reset() noexcept {
  for (Count* count : {&callbacks, &blocks, &late_blocks, &missing_samples, &refused_callbacks, &failed_blocks,
                       &muted_blocks, &n_times, &longest_ns}) {
    count->store(0, std::memory_order_relaxed);
  }
}

}  // namespace neutone::engine
