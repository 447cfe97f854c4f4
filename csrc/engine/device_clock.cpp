#include "engine/device_clock.h"

#include <chrono>
#include <system_error>

#ifdef __linux__
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>

#include <cerrno>
#include <ctime>
#else
#include <thread>
#endif

namespace neutone::engine {
namespace {

using Nanoseconds = std::int64_t;

Nanoseconds now_ns() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

void sleep_until(Nanoseconds due_ns) noexcept {
#ifdef __linux__  // steady_clock is CLOCK_MONOTONIC there, and the library's own sleep is a relative one
  constexpr Nanoseconds kSecond = 1'000'000'000;
  const timespec due{static_cast<time_t>(due_ns / kSecond),
                     static_cast<long>(due_ns % kSecond)};  // NOLINT(*-runtime-int)
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, nullptr) == EINTR) {
  }
#else
  std::this_thread::sleep_until(std::chrono::steady_clock::time_point(std::chrono::nanoseconds(due_ns)));
#endif
}

}  // namespace

DeviceClock::DeviceClock(std::int64_t sample_rate_hz, std::size_t buffer_frames, std::size_t n_callbacks)
    : sample_rate_hz_(sample_rate_hz),
      buffer_frames_(buffer_frames),
      durations_ns_(n_callbacks),
      lateness_ns_(n_callbacks) {}

void DeviceClock::run(const std::function<void(std::size_t)>& play) noexcept {
  ask_for_priority();
  Nanoseconds start_ns = now_ns();
  std::size_t first = 0;  // that was due at the start
  for (std::size_t index = 0; index < durations_ns_.size(); ++index) {
    const auto due_ns = [&](std::size_t callback) { return start_ns + due_after_ns(callback - first); };
    sleep_until(due_ns(index));
    if (is_stopped_.load(std::memory_order_relaxed)) break;
    const Nanoseconds woke_ns = now_ns();
    lateness_ns_[index] = woke_ns - due_ns(index);
    if (woke_ns > due_ns(index + 1)) {
      n_overruns_.fetch_add(1, std::memory_order_relaxed);
      start_ns = woke_ns;
      first = index;
    }
    play(index);
    durations_ns_[index] = now_ns() - woke_ns;
    n_done_.store(index + 1, std::memory_order_release);
  }
}

std::string DeviceClock::refusal() const {
  const int error = priority_error_.load(std::memory_order_acquire);
  return error == 0 ? std::string() : std::generic_category().message(error);
}

void DeviceClock::ask_for_priority() noexcept {
#ifdef __linux__
  const sched_param wanted{.sched_priority = kPriority};
  priority_error_.store(pthread_setschedparam(pthread_self(), SCHED_FIFO, &wanted), std::memory_order_release);
  // Threads of lower rank are otherwise woken up to 50 us late, to save power.
  (void)prctl(PR_SET_TIMERSLACK, 1UL);  // NOLINT(*-vararg)
#else
  priority_error_.store(static_cast<int>(std::errc::function_not_supported), std::memory_order_release);
#endif
  has_priority_.store(priority_error_.load(std::memory_order_relaxed) == 0, std::memory_order_release);
}

// Exactly, however long it goes on.
std::int64_t DeviceClock::due_after_ns(std::size_t n_callbacks) const noexcept {
  constexpr std::int64_t kSecond = 1'000'000'000;
  const auto frames = static_cast<std::int64_t>(n_callbacks * buffer_frames_);
  return frames / sample_rate_hz_ * kSecond + frames % sample_rate_hz_ * kSecond / sample_rate_hz_;
}

}  // namespace neutone::engine
