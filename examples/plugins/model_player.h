#pragma once

#include <algorithm>
#include <atomic>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "engine/engine.h"
#include "host/model.h"

// An engine that plays a file; where that fails, stderr says why and there is no model.
class ModelPlayer {
 public:
  ModelPlayer() : engine_(shared_workers()) {}

  // Plays another model from now on, or, without a path, none. Returns it. [control, allocates]
  std::shared_ptr<neutone::host::Model> load(const std::string& path) {
    std::shared_ptr<neutone::host::Model> model;
    const std::scoped_lock lock(control_);
    try {
      if (!path.empty()) model = std::make_shared<neutone::host::Model>(path);
      engine_.set_model(model);
    } catch (const std::exception& error) {
      report(path + ": " + error.what());
      engine_.set_model(model = nullptr);
    }
    has_model_ = model != nullptr;
    return model;
  }

  // Gets ready for the host, and forgets all audio. [control, no process, allocates]
  void prepare(const neutone::engine::HostFormat& format, neutone::engine::LatencyMode mode) {
    const std::scoped_lock lock(control_);
    try {
      engine_.prepare(format, {mode});
    } catch (const std::exception& error) {
      report(std::string("this model here: ") + error.what());
      has_model_ = false;
      engine_.set_model(nullptr);
      engine_.prepare(format);
    }
  }

  // For what the audio thread calls. [any thread, wait-free; as the next]
  [[nodiscard]] neutone::engine::Engine& engine() noexcept { return engine_; }
  [[nodiscard]] bool has_model() const noexcept { return has_model_; }

 private:
  // All plugins of a process share their workers, one less than there are processors.
  static std::shared_ptr<neutone::engine::WorkerPool> shared_workers() {
    static std::mutex mutex;
    static std::weak_ptr<neutone::engine::WorkerPool> workers;
    const std::scoped_lock lock(mutex);
    auto pool = workers.lock();
    if (!pool) {
      const unsigned n_threads = std::max(2U, std::thread::hardware_concurrency()) - 1;
      workers = pool = std::make_shared<neutone::engine::WorkerPool>(n_threads);
    }
    return pool;
  }

  static void report(const std::string& problem) { std::cerr << "Neutone cannot play " + problem + "\n"; }

  std::mutex control_;  // hosts may load on any thread
  neutone::engine::Engine engine_;
  std::atomic<bool> has_model_ = false;
};
