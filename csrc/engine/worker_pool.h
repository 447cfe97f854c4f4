#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace neutone::engine {

// What a pool's threads ask the system for.
enum class WorkerPriority : std::uint8_t {
  kRealtime,  // to go before all ordinary threads, behind audio threads. On Linux, where it is allowed; else as below.
  kOrdinary,  // nothing: for what nobody plays to, such as bounces
};

// Threads that run models for engines. An engine's blocks run one after another, in order, on whichever thread is free.
class WorkerPool {
 public:
  // Throws std::invalid_argument on 0 threads. [control, allocates]
  explicit WorkerPool(std::size_t n_threads = 1, WorkerPriority priority = WorkerPriority::kRealtime);
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;
  ~WorkerPool();  // waits for the blocks that are running

  [[nodiscard]] std::size_t size() const noexcept;

 private:
  friend class Engine;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace neutone::engine
