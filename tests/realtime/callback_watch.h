#pragma once

#include <cstddef>
#include <ostream>

#include "allocation_counter.h"
#include "lock_counter.h"
#include "system_call_counter.h"

// What an audio thread must not do, counted in its callbacks and nowhere else.
namespace neutone::test {

struct CallbackCounts {
  std::size_t heap = 0;
  std::size_t locks = 0;
  SystemCalls system;

  [[nodiscard]] std::size_t violations() const noexcept { return heap + locks + system.others; }
};

inline std::ostream& operator<<(std::ostream& out, const CallbackCounts& counts) {
  return out << counts.heap << " calls to the heap, " << counts.locks << " to locks, " << counts.system.others
             << " to the system (the latest is number " << counts.system.latest << "), " << counts.system.wakes
             << " wakes";
}

// Made on the audio thread; `callback` is what its callbacks go through.
class CallbackWatch {
 public:
  template <typename Callback>
  void run(const Callback& callback) {
    const CallbackCounts before = now();
    SystemCallWatch::resume();
    callback();
    SystemCallWatch::pause();
    const CallbackCounts after = now();
    counts_.heap += after.heap - before.heap;
    counts_.locks += after.locks - before.locks;
    counts_.system.wakes += after.system.wakes - before.system.wakes;
    counts_.system.others += after.system.others - before.system.others;
    counts_.system.latest = after.system.latest;
  }

  // In all callbacks so far.
  [[nodiscard]] const CallbackCounts& counts() const noexcept { return counts_; }

 private:
  static CallbackCounts now() noexcept { return {heap_calls(), lock_calls(), SystemCallWatch::counted()}; }

  SystemCallWatch system_;
  CallbackCounts counts_;
};

}  // namespace neutone::test
