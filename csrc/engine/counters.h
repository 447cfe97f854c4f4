#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "../dsp/aligned_buffer.h"
#include "../dsp/realtime.h"
#include "stats.h"

namespace neutone::engine {

// What an engine counts, in atomics of their own: a reader may see some of a callback's and not yet the others.
struct Counters {
  using Count = std::atomic<std::uint64_t>;
  static constexpr std::size_t kTimes = 1024;

  // For what one thread alone counts.
  static void add(Count& count, std::uint64_t n = 1) noexcept NEUTONE_NONBLOCKING {
    count.store(count.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }

  // Takes down how long a block took. [worker, wait-free]
  void add_time(std::uint64_t nanoseconds) noexcept;
  // [any thread, wait-free]
  [[nodiscard]] Stats stats() const noexcept;
  [[nodiscard]] Losses losses() const noexcept NEUTONE_NONBLOCKING {
    return {late_blocks.load(std::memory_order_relaxed), missing_samples.load(std::memory_order_relaxed)};
  }
  // [neither audio thread nor worker running]
  void reset() noexcept;

  // The audio thread's.
  alignas(dsp::kCacheLineBytes) Count callbacks{0};
  Count blocks{0};
  Count late_blocks{0};
  Count missing_samples{0};
  Count refused_callbacks{0};

  // The workers', of which two may run while one model follows another.
  alignas(dsp::kCacheLineBytes) Count failed_blocks{0};
  Count muted_blocks{0};
  Count n_times{0};
  Count longest_ns{0};
  std::array<std::atomic<std::uint32_t>, kTimes> latest_ns{};
};

}  // namespace neutone::engine
