#include "python/simulated_device.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <system_error>
#include <utility>

#ifdef __linux__
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>

#include <cerrno>
#include <ctime>
#endif

namespace neutone::python {
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

// So long after the start is callback `index` due: exactly, however long it goes on.
Nanoseconds due_after_ns(std::size_t index, std::size_t buffer_frames, std::int64_t sample_rate_hz) noexcept {
  constexpr std::int64_t kSecond = 1'000'000'000;
  const auto frames = static_cast<std::int64_t>(index * buffer_frames);
  return frames / sample_rate_hz * kSecond + frames % sample_rate_hz * kSecond / sample_rate_hz;
}

}  // namespace

Loop::Loop(const dsp::Planar<const float>& rows, std::size_t block_frames)
    : loop_frames_(rows.frames),
      block_frames_(block_frames),
      samples_(rows.channels * (rows.frames + block_frames)),
      rows_{samples_.data(), rows.channels, rows.frames + block_frames,
            static_cast<std::ptrdiff_t>(rows.frames + block_frames)} {
  if (loop_frames_ == 0) throw std::invalid_argument("what a device plays must have at least one frame, got none");
  for (std::size_t channel = 0; channel < rows.channels; ++channel) {
    float* to = samples_.data() + channel * rows_.frames;
    for (std::size_t frame = 0; frame < rows_.frames; ++frame) {
      to[frame] = rows.row(channel)[static_cast<std::ptrdiff_t>(frame % loop_frames_) * rows.frame_stride];
    }
  }
}

dsp::Planar<const float> Loop::block(std::size_t index) const noexcept {
  return rows_.slice_frames(index * block_frames_ % loop_frames_, block_frames_);
}

SimulatedDevice::SimulatedDevice(engine::Engine& engine, const dsp::Planar<const float>& audio,
                                 const dsp::Planar<const float>& params, const DeviceSettings& settings)
    : engine_(engine),
      settings_(settings),
      audio_(audio, settings.buffer_frames),
      params_(params, settings.buffer_frames),
      out_samples_(settings.out_channels * settings.buffer_frames * (settings.keeps_output ? settings.n_callbacks : 1)),
      out_{out_samples_.data(), settings.out_channels,
           settings.buffer_frames * (settings.keeps_output ? settings.n_callbacks : 1),
           static_cast<std::ptrdiff_t>(settings.buffer_frames * (settings.keeps_output ? settings.n_callbacks : 1))},
      durations_ns_(settings.n_callbacks),
      lateness_ns_(settings.n_callbacks) {}

SimulatedDevice::~SimulatedDevice() { stop(); }

void SimulatedDevice::start(std::function<void()> on_end) {
  thread_ = std::thread([this, last = std::move(on_end)] { run(last); });
}

bool SimulatedDevice::wait(double seconds) {
  std::unique_lock lock(end_mutex_);
  return end_.wait_for(lock, std::chrono::duration<double>(seconds), [this] { return is_over_; });
}

void SimulatedDevice::stop() {
  is_stopped_.store(true, std::memory_order_relaxed);
  const std::scoped_lock lock(stop_mutex_);
  if (thread_.joinable()) thread_.join();
}

std::span<const std::int64_t> SimulatedDevice::durations_ns() const noexcept {
  return {durations_ns_.data(), n_done()};
}

std::span<const std::int64_t> SimulatedDevice::lateness_ns() const noexcept { return {lateness_ns_.data(), n_done()}; }

dsp::Planar<const float> SimulatedDevice::output() const noexcept {
  const std::size_t frames = settings_.keeps_output ? n_done() * settings_.buffer_frames : 0;
  return out_.slice_frames(0, frames);
}

std::string SimulatedDevice::refusal() const {
  const int error = priority_error_.load(std::memory_order_acquire);
  return error == 0 ? std::string() : std::generic_category().message(error);
}

void SimulatedDevice::run(const std::function<void()>& on_end) noexcept {
  ask_for_priority();
  Nanoseconds start_ns = now_ns();
  std::size_t first = 0;  // that was due at the start
  for (std::size_t index = 0; index < settings_.n_callbacks; ++index) {
    const auto due_ns = [&](std::size_t callback) {
      return start_ns + due_after_ns(callback - first, settings_.buffer_frames, settings_.sample_rate_hz);
    };
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
  on_end();
  const std::scoped_lock lock(end_mutex_);
  is_over_ = true;
  end_.notify_all();
}

void SimulatedDevice::play(std::size_t index) noexcept {
  const std::size_t at = settings_.keeps_output ? index * settings_.buffer_frames : 0;
  engine_.process(audio_.block(index), params_.block(index), out_.slice_frames(at, settings_.buffer_frames));
}

void SimulatedDevice::ask_for_priority() noexcept {
#ifdef __linux__
  constexpr int kPriority = 70;  // where sound servers have theirs
  const sched_param wanted{.sched_priority = kPriority};
  priority_error_.store(pthread_setschedparam(pthread_self(), SCHED_FIFO, &wanted), std::memory_order_release);
  // Threads of lower rank are otherwise woken up to 50 us late, to save power.
  (void)prctl(PR_SET_TIMERSLACK, 1UL);  // NOLINT(*-vararg)
#else
  priority_error_.store(static_cast<int>(std::errc::function_not_supported), std::memory_order_release);
#endif
  has_priority_.store(priority_error_.load(std::memory_order_relaxed) == 0, std::memory_order_release);
}

}  // namespace neutone::python
