#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

#include "semaphore.h"
#include "worker_pool.h"

namespace neutone::engine {

// What a pool runs: blocks, one after another.
class Job {
 public:
  Job() = default;
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;
  virtual ~Job() = default;

  // Whether `run_block` would find something to do. [pool, while this job does not run]
  [[nodiscard]] virtual bool has_block() const noexcept = 0;
  // [pool, one thread at a time]
  virtual void run_block() noexcept = 0;

 private:
  friend class Workers;
  bool is_running_ = false;  // guarded by the pool's mutex
};

// A pool's threads, and the jobs that they take turns at.
class Workers {
 public:
  // [control, allocates]
  Workers(std::size_t n_threads, WorkerPriority priority);
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;
  ~Workers();

  // Says that a job has a block. [any thread, wait-free]
  void wake() noexcept NEUTONE_NONBLOCKING { ready_.post(); }
  [[nodiscard]] std::size_t size() const noexcept { return threads_.size(); }

  // [control, allocates]
  void add(Job& job);
  // Returns when the job does not run any more, and will not. Knows nothing of jobs that are not there. [control]
  void remove(Job& job) noexcept;

 private:
  void work() noexcept;
  void stop() noexcept;
  // The next job, in turn, that has a block and does not run; null if there is none. [mutex held]
  [[nodiscard]] Job* next_job() noexcept;

  std::mutex mutex_;  // guards what follows; no audio thread takes it
  std::vector<Job*> jobs_;
  std::size_t turn_ = 0;
  bool is_stopping_ = false;
  std::condition_variable ran_;

  Semaphore ready_;
  std::vector<std::thread> threads_;
};

struct WorkerPool::State {
  State(std::size_t n_threads, WorkerPriority priority) : workers(n_threads, priority) {}
  Workers workers;
};

}  // namespace neutone::engine
