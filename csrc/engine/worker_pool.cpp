#include "worker_pool.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <mutex>
#include <stdexcept>

#include "thread_priority.h"
#include "worker_pool_state.h"

namespace neutone::engine {

WorkerPool::WorkerPool(std::size_t n_threads, WorkerPriority priority) {
  if (n_threads == 0) throw std::invalid_argument("a worker pool needs at least one thread, got 0");
  state_ = std::make_unique<State>(n_threads, priority);
}

WorkerPool::~WorkerPool() = default;

std::size_t WorkerPool::size() const noexcept { return state_->workers.size(); }

Workers::Workers(std::size_t n_threads, WorkerPriority priority) {
  threads_.reserve(n_threads);
  try {
    for (std::size_t i = 0; i < n_threads; ++i)
      threads_.emplace_back([this, priority] {
        if (priority == WorkerPriority::kRealtime) prefer_this_thread();
        work();
      });
  } catch (...) {
    stop();
    throw;
  }
}

Workers::~Workers() { stop(); }

void Workers::stop() noexcept {
  {
    const std::scoped_lock lock(mutex_);
    is_stopping_ = true;
  }
  for (std::size_t i = 0; i < threads_.size(); ++i) ready_.post();
  for (std::thread& thread : threads_) thread.join();
}

void Workers::add(Job& job) {
  const std::scoped_lock lock(mutex_);
  jobs_.push_back(&job);
  ready_.post();  // it may have got blocks before
}

void Workers::remove(Job& job) noexcept {
  std::unique_lock lock(mutex_);
  std::erase(jobs_, &job);
  ran_.wait(lock, [&job] { return !job.is_running_; });
}

Job* Workers::next_job() noexcept {
  for (std::size_t i = 0; i < jobs_.size(); ++i) {
    Job* const job = jobs_[(turn_ + i) % jobs_.size()];
    if (job->is_running_ || !job->has_block()) continue;
    turn_ = (turn_ + i + 1) % jobs_.size();
    return job;
  }
  return nullptr;
}

// A thread that finds a job running leaves its blocks to the thread that runs it: that one looks again, under the same
// mutex, before it sleeps. So no block is forgotten, however many posts were swallowed.
void Workers::work() noexcept {
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    Job* const job = next_job();
    if (job == nullptr) {
      lock.unlock();
      ready_.wait();
      lock.lock();
      continue;
    }
    job->is_running_ = true;
    lock.unlock();
    job->run_block();
    lock.lock();
    job->is_running_ = false;
    ran_.notify_all();
  }
}

}  // namespace neutone::engine
