#include "python/simulated_device.h"

#include <chrono>
#include <stdexcept>
#include <utility>

namespace neutone::python {

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
      clock_(settings.sample_rate_hz, settings.buffer_frames, settings.n_callbacks) {}

SimulatedDevice::~SimulatedDevice() { stop(); }

void SimulatedDevice::start(std::function<void()> on_end) {
  thread_ = std::thread([this, last = std::move(on_end)] { run(last); });
}

bool SimulatedDevice::wait(double seconds) {
  std::unique_lock lock(end_mutex_);
  return end_.wait_for(lock, std::chrono::duration<double>(seconds), [this] { return is_over_; });
}

void SimulatedDevice::stop() {
  clock_.stop();
  const std::scoped_lock lock(stop_mutex_);
  if (thread_.joinable()) thread_.join();
}

dsp::Planar<const float> SimulatedDevice::output() const noexcept {
  const std::size_t frames = settings_.keeps_output ? clock_.n_done() * settings_.buffer_frames : 0;
  return out_.slice_frames(0, frames);
}

void SimulatedDevice::run(const std::function<void()>& on_end) noexcept {
  clock_.run([this](std::size_t index) { play(index); });
  on_end();
  const std::scoped_lock lock(end_mutex_);
  is_over_ = true;
  end_.notify_all();
}

void SimulatedDevice::play(std::size_t index) noexcept {
  const std::size_t at = settings_.keeps_output ? index * settings_.buffer_frames : 0;
  engine_.process(audio_.block(index), params_.block(index), out_.slice_frames(at, settings_.buffer_frames));
}

}  // namespace neutone::python
