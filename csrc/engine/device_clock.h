#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace neutone::engine {

// The timing of a sound card without one: a callback whenever a buffer's time is over, on the dot, and a record of how
// punctual both were, in memory that is there before.
class DeviceClock {
 public:
  static constexpr int kPriority = 70;  // where sound servers have theirs

  // [control, allocates]
  DeviceClock(std::int64_t sample_rate_hz, std::size_t buffer_frames, std::size_t n_callbacks);

  // Calls `play` with 0, 1 ... until all are played or `stop` is called. Once, on the thread that is to be the audio
  // thread; it gets real-time priority, where the system allows that. [audio]
  void run(const std::function<void(std::size_t)>& play) noexcept;

  // From here on: for any thread.
  // The callback that is running is the last.
  void stop() noexcept { is_stopped_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] std::size_t n_done() const noexcept { return n_done_.load(std::memory_order_acquire); }
  // Of each callback so far, nanoseconds that it took, and by which the thread woke too late for it.
  [[nodiscard]] std::span<const std::int64_t> durations_ns() const noexcept { return {durations_ns_.data(), n_done()}; }
  [[nodiscard]] std::span<const std::int64_t> lateness_ns() const noexcept { return {lateness_ns_.data(), n_done()}; }
  // So often the thread woke after the next buffer was due: that one was lost, and the clock started anew.
  [[nodiscard]] std::size_t n_overruns() const noexcept { return n_overruns_.load(std::memory_order_relaxed); }
  // Why the system did not give the thread real-time priority; empty if it did, or the thread has not begun.
  [[nodiscard]] std::string refusal() const;
  [[nodiscard]] bool has_realtime_priority() const noexcept { return has_priority_.load(std::memory_order_acquire); }

 private:
  void ask_for_priority() noexcept;
  [[nodiscard]] std::int64_t due_after_ns(std::size_t n_callbacks) const noexcept;

  const std::int64_t sample_rate_hz_;
  const std::size_t buffer_frames_;
  std::vector<std::int64_t> durations_ns_;
  std::vector<std::int64_t> lateness_ns_;
  std::atomic<std::size_t> n_done_{0};
  std::atomic<std::size_t> n_overruns_{0};
  std::atomic<bool> is_stopped_{false};
  std::atomic<bool> has_priority_{false};
  std::atomic<int> priority_error_{0};
};

}  // namespace neutone::engine
