#pragma once

#include <cstddef>

#ifdef __linux__
#include <sched.h>
#endif
#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif

namespace neutone::bench {

// Keeps the calling thread on one core, the `nth` of those that it may run on: two busy threads that share a core until
// the scheduler notices would be measured instead of what they do. Without effect where there is no such core or no
// such call.
inline void pin_to_core([[maybe_unused]] std::size_t nth) noexcept {
#ifdef __linux__
  static const cpu_set_t allowed = [] {
    cpu_set_t set;
    CPU_ZERO(&set);
    sched_getaffinity(0, sizeof(set), &set);
    return set;
  }();
  for (std::size_t core = 0; core < CPU_SETSIZE; ++core) {
    if (!CPU_ISSET(core, &allowed) || nth-- > 0) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    sched_setaffinity(0, sizeof(one), &one);
    return;
  }
#endif
}

// Tells the processor that this is a loop that waits.
inline void spin_pause() noexcept {
#if defined(__x86_64__) || defined(_M_X64)
  _mm_pause();
#elif defined(__aarch64__) && defined(__GNUC__)
  asm volatile("yield");
#endif
}

}  // namespace neutone::bench
