#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

#include "dsp/aligned_buffer.h"
#include "dsp/planar.h"
#include "engine/device_clock.h"
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

// Stands in for the driver of a sound card: a thread that calls an engine by a clock. It knows nothing of Python.
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

  // How punctual it was. [any thread]
  [[nodiscard]] const engine::DeviceClock& clock() const noexcept { return clock_; }
  // What was heard so far; no frames unless it is kept. [any thread]
  [[nodiscard]] dsp::Planar<const float> output() const noexcept;

 private:
  void run(const std::function<void()>& on_end) noexcept;
  void play(std::size_t index) noexcept;

  engine::Engine& engine_;
  const DeviceSettings settings_;
  Loop audio_;
  Loop params_;
  dsp::AlignedBuffer<float> out_samples_;
  dsp::Planar<float> out_;
  engine::DeviceClock clock_;
  std::mutex stop_mutex_;
  std::mutex end_mutex_;  // the thread takes it after the last callback only
  std::condition_variable end_;
  bool is_over_ = false;
  std::thread thread_;
};

}  // namespace neutone::python
