#pragma once

#include <pybind11/pybind11.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "python/arrays.h"
#include "python/python_model.h"

namespace neutone::python {

// An engine for Python, where any thread may call anything: what the engine forbids at the same time is refused.
class PythonEngine {
 public:
  explicit PythonEngine(std::shared_ptr<engine::WorkerPool> pool);
  PythonEngine(const PythonEngine&) = delete;
  PythonEngine& operator=(const PythonEngine&) = delete;
  ~PythonEngine();

  void prepare(const engine::HostFormat& host, const engine::EngineSettings& settings);
  void set_model(const pybind11::object& model);
  [[nodiscard]] Frames process(const pybind11::object& audio, const pybind11::object& params);
  void reset();
  [[nodiscard]] std::size_t latency_samples() const noexcept { return engine_->latency_samples(); }
  [[nodiscard]] engine::Stats stats() const noexcept { return engine_->stats(); }
  [[nodiscard]] std::string last_error() const;

  // For devices.
  [[nodiscard]] engine::Engine& engine() noexcept { return *engine_; }
  [[nodiscard]] const engine::HostFormat& host() const noexcept { return host_; }
  // Throws unless `prepare` was called.
  void check_prepared() const;
  // Throws unless `array` has the channels of the host's input.
  void check_audio(const Frames& array) const;
  // No rows for None: the engine leaves knobs where they are. Otherwise throws unless there is one for each parameter.
  [[nodiscard]] Frames checked_params(const pybind11::object& params) const;
  // From one to the other nobody else plays this engine, or prepares it. `claim` throws if someone does; `release` is
  // for any thread.
  void claim();
  void release() noexcept { is_claimed_.store(false, std::memory_order_release); }

 private:
  std::unique_ptr<engine::Engine> engine_;
  std::atomic<bool> is_claimed_{false};
  std::mutex control_mutex_;
  engine::HostFormat host_;
  bool is_prepared_ = false;
  std::shared_ptr<PythonModel> model_;
};

// [GIL held]
void bind_engine(const pybind11::module_& module);

}  // namespace neutone::python
