#pragma once

#include <cstddef>
#include <ostream>
#include <thread>

#include "check.h"
#ifdef NEUTONE_COUNTS_CALLBACKS
#include "callback_watch.h"
#endif

// An audio thread whose callbacks are watched: where they are counted, a test says how many violations it wants; under
// RealtimeSanitizer the first one ends the program.
namespace neutone::test {

#ifndef NEUTONE_COUNTS_CALLBACKS
struct CallbackCounts {
  [[nodiscard]] static std::size_t violations() noexcept { return 0; }
};
inline std::ostream& operator<<(std::ostream& out, const CallbackCounts& /*counts*/) { return out; }

class CallbackWatch {
 public:
  template <typename Callback>
  void run(const Callback& callback) {
    callback();
  }
  [[nodiscard]] CallbackCounts counts() const noexcept { return counts_; }

 private:
  CallbackCounts counts_;
};
#endif

// Calls `callback` on a thread of its own, watched, at least so many times and until `has_ended`; between some of the
// calls it lets others run.
template <typename Callback, typename HasEnded>
CallbackCounts run_audio_thread(std::size_t callbacks, const Callback& callback, const HasEnded& has_ended) {
  constexpr std::size_t kCallbacksInARow = 8;
  CallbackCounts counts;
  std::thread audio_thread([&] {
    CallbackWatch watch;
    for (std::size_t i = 0; i < callbacks || !has_ended(); ++i) {
      watch.run([&] { callback(i); });
      if (i % kCallbacksInARow == 0) std::this_thread::yield();
    }
    counts = watch.counts();
  });
  audio_thread.join();
  return counts;
}

template <typename Callback>
CallbackCounts run_audio_thread(std::size_t callbacks, const Callback& callback) {
  return run_audio_thread(callbacks, callback, [] { return true; });
}

inline void check_safe(const CallbackCounts& counts, const Place& place = Place::current()) {
  check(Comparison{counts.violations() == 0, show(counts)}, "nothing that an audio thread must not do", place);
}

}  // namespace neutone::test
