#pragma once

#include <cstddef>
#include <memory>

namespace neutone::engine {

// Threads that run models for engines. An engine's blocks run one after another, in order, on whichever thread is free.
// On Linux the threads are real-time ones of the lowest priority, where the system lets them.
class WorkerPool {
 public:
  // Throws std::invalid_argument on 0 threads. [control, allocates]
  explicit WorkerPool(std::size_t n_threads = 1);
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
