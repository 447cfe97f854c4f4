#pragma once

#include "../dsp/realtime.h"

#ifdef __APPLE__
#include <dispatch/dispatch.h>
#elif defined(_WIN32)
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <windows.h>

#include <climits>
#else
#include <semaphore.h>

#include <cerrno>
#endif

namespace neutone::engine {

// Counts posts, each of which lets one wait pass. The system's own: posting locks nothing in this process.
class Semaphore {
 public:
  Semaphore();
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;
  ~Semaphore();

  // [any thread, wait-free: at most one system call that wakes a thread]
  void post() noexcept NEUTONE_NONBLOCKING;
  // [never on an audio thread that has a deadline]
  void wait() noexcept;

 private:
#ifdef __APPLE__
  dispatch_semaphore_t semaphore_;
#elif defined(_WIN32)
  HANDLE semaphore_;
#else
  sem_t semaphore_;
#endif
};

// ---------------------------------------------------------------------------------------------------------------------

#ifdef __APPLE__
inline Semaphore::Semaphore() : semaphore_(dispatch_semaphore_create(0)) {}
inline Semaphore::~Semaphore() { dispatch_release(semaphore_); }
inline void Semaphore::wait() noexcept { dispatch_semaphore_wait(semaphore_, DISPATCH_TIME_FOREVER); }
#elif defined(_WIN32)
inline Semaphore::Semaphore() : semaphore_(CreateSemaphoreW(nullptr, 0, LONG_MAX, nullptr)) {}
inline Semaphore::~Semaphore() { CloseHandle(semaphore_); }
inline void Semaphore::wait() noexcept { WaitForSingleObject(semaphore_, INFINITE); }
#else
inline Semaphore::Semaphore() : semaphore_() { sem_init(&semaphore_, 0, 0); }
inline Semaphore::~Semaphore() { sem_destroy(&semaphore_); }
inline void Semaphore::wait() noexcept {
  while (sem_wait(&semaphore_) != 0 && errno == EINTR) {  // a signal came in between
  }
}
#endif

// The one call of the system's on an audio thread. It adds one and at most asks the kernel to wake a thread, which no
// compiler can see.
NEUTONE_EXEMPT_BEGIN
inline void Semaphore::post() noexcept NEUTONE_NONBLOCKING {
#ifdef __APPLE__
  dispatch_semaphore_signal(semaphore_);
#elif defined(_WIN32)
  ReleaseSemaphore(semaphore_, 1, nullptr);
#else
  sem_post(&semaphore_);
#endif
}
NEUTONE_EXEMPT_END

}  // namespace neutone::engine
