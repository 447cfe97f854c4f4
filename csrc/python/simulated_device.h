#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "dsp/aligned_buffer.h"
#include "dsp/planar.h"
#include "engine/engine.h"

namespace neutone::python {

// Rows of samples that go round and round; every block of them lies in one piece.
class Loop {
 public:
  // Throws std::invalid_argument on 0 frames. [allocates]
  Loop(const dsp::Planar<const float>& rows, std::size_t block_frames);

  [[nodiscard]] dsp::Planar<const float> block(std::size_t index) const noexcept;

 private:
  std::size_t loop_frames_;
  std::size_t block_frames_;
  dsp::AlignedBuffer<float> samples_;
  dsp::Planar<const float> rows_;
};

struct DeviceSettings {
  std::int64_t sample_rate_hz = 48'000;
  std::size_t buffer_frames = 512;
  std::size_t out_channels = 2;
  std::size_t n_callbacks = 1;
  bool keeps_output = false;
};

// Stands in for the driver of a sound card: a thread that calls an engine whenever a buffer's time is over, on the dot,
// and writes down how punctual both were, in memory that is there before. It knows nothing of Python.
class SimulatedDevice {
 public:
  // `audio` has the engine's input channels, `params` a row for each parameter and one frame or many, or no rows; both
  // are played round and round. [allocates]
  SimulatedDevice(engine::Engine& engine, const dsp::Planar<const float>& audio, const dsp::Planar<const float>& params,
                  const DeviceSettings& settings);
  SimulatedDevice(const SimulatedDevice&) = delete;
  SimulatedDevice& operator=(const SimulatedDevice&) = delete;
  ~SimulatedDevice();

  // Once. Calls `on_end` last of all, on the thread. [control, allocates]
  void start(std::function<void()> on_end);
  // Returns whether all is over, at the latest after so long. [control]
  [[nodiscard]] bool wait(double seconds);
  // Waits for the callback that is running. [control]
  void stop();

  // From here on: for any thread.
  // Of each callback so far, nanoseconds that it took, and by which the thread woke too late for it.
  [[nodiscard]] std::span<const std::int64_t> durations_ns() const noexcept;
  [[nodiscard]] std::span<const std::int64_t> lateness_ns() const noexcept;
  // What was heard so far; no frames unless it is kept.
  [[nodiscard]] dsp::Planar<const float> output() const noexcept;
  // So often the thread woke after the next buffer was due: that one was lost, and the clock started anew.
  [[nodiscard]] std::size_t n_overruns() const noexcept { return n_overruns_.load(std::memory_order_relaxed); }
  // Why the system did not give the thread real-time priority; empty if it did, or the thread has not begun.
  [[nodiscard]] std::string refusal() const;
  [[nodiscard]] bool has_realtime_priority() const noexcept { return has_priority_.load(std::memory_order_acquire); }

 private:
  void run(const std::function<void()>& on_end) noexcept;
  void ask_for_priority() noexcept;
  void play(std::size_t index) noexcept;
  [[nodiscard]] std::size_t n_done() const noexcept { return n_done_.load(std::memory_order_acquire); }

  engine::Engine& engine_;
  const DeviceSettings settings_;
  Loop audio_;
  Loop params_;
  dsp::AlignedBuffer<float> out_samples_;
  dsp::Planar<float> out_;
  std::vector<std::int64_t> durations_ns_;
  std::vector<std::int64_t> lateness_ns_;
  std::atomic<std::size_t> n_done_{0};
  std::atomic<std::size_t> n_overruns_{0};
  std::atomic<bool> is_stopped_{false};
  std::atomic<bool> has_priority_{false};
  std::atomic<int> priority_error_{0};
  std::mutex stop_mutex_;
  std::mutex end_mutex_;  // the thread takes it after the last callback only
  std::condition_variable end_;
  bool is_over_ = false;
  std::thread thread_;
};

}  // namespace neutone::python
