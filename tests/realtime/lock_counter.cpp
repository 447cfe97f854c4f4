#include "lock_counter.h"

#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <ctime>

// What this file is for is what these checks are against: it stands before the C library for its executable.
// NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl*,cppcoreguidelines-avoid-non-const-global-variables)
// NOLINTBEGIN(bugprone-macro-parentheses,misc-const-correctness,readability-inconsistent-declaration-parameter-name)

namespace {

thread_local std::size_t calls = 0;

// The function that would have been called, looked up when it is needed first: others call before we are started.
template <typename Function>
Function* behind(std::atomic<Function*>& known, const char* name, const char* version) noexcept {
  Function* function = known.load(std::memory_order_relaxed);
  if (function == nullptr) {
    void* const found = version == nullptr ? dlsym(RTLD_NEXT, name) : dlvsym(RTLD_NEXT, name, version);
    function = reinterpret_cast<Function*>(found);
    known.store(function, std::memory_order_relaxed);
  }
  return function;
}

// Without a version, the C library gives the oldest of a name. Condition variables have been made anew once.
#ifdef __x86_64__
constexpr const char* kConditionVersion = "GLIBC_2.3.2";
#else
constexpr const char* kConditionVersion = nullptr;
#endif

}  // namespace

namespace neutone::test {

std::size_t lock_calls() noexcept { return calls; }

}  // namespace neutone::test

// Defines a function that counts, and calls the one that it stands before.
#define NEUTONE_COUNT_OF(version, name, parameters, arguments)      \
  int name parameters {                                             \
    static constinit std::atomic<int(*) parameters> known;          \
    ++calls;                                                        \
    return behind<int parameters>(known, #name, version) arguments; \
  }
#define NEUTONE_COUNT(name, parameters, arguments) NEUTONE_COUNT_OF(nullptr, name, parameters, arguments)
#define NEUTONE_COUNT_CONDITION(name, parameters, arguments) \
  NEUTONE_COUNT_OF(kConditionVersion, name, parameters, arguments)

extern "C" {

NEUTONE_COUNT(pthread_mutex_lock, (pthread_mutex_t * mutex) noexcept, (mutex))
NEUTONE_COUNT(pthread_mutex_trylock, (pthread_mutex_t * mutex) noexcept, (mutex))
NEUTONE_COUNT(pthread_mutex_unlock, (pthread_mutex_t * mutex) noexcept, (mutex))
NEUTONE_COUNT(pthread_mutex_timedlock, (pthread_mutex_t * mutex, const timespec* until) noexcept, (mutex, until))
NEUTONE_COUNT(pthread_mutex_clocklock, (pthread_mutex_t * mutex, clockid_t clock, const timespec* until) noexcept,
              (mutex, clock, until))
NEUTONE_COUNT(pthread_spin_lock, (pthread_spinlock_t * lock) noexcept, (lock))
NEUTONE_COUNT(pthread_rwlock_rdlock, (pthread_rwlock_t * lock) noexcept, (lock))
NEUTONE_COUNT(pthread_rwlock_wrlock, (pthread_rwlock_t * lock) noexcept, (lock))
NEUTONE_COUNT(pthread_rwlock_unlock, (pthread_rwlock_t * lock) noexcept, (lock))
NEUTONE_COUNT_CONDITION(pthread_cond_signal, (pthread_cond_t * condition) noexcept, (condition))
NEUTONE_COUNT_CONDITION(pthread_cond_broadcast, (pthread_cond_t * condition) noexcept, (condition))
NEUTONE_COUNT_CONDITION(pthread_cond_wait, (pthread_cond_t * condition, pthread_mutex_t* mutex), (condition, mutex))
NEUTONE_COUNT_CONDITION(pthread_cond_timedwait,
                        (pthread_cond_t * condition, pthread_mutex_t* mutex, const timespec* until),
                        (condition, mutex, until))
NEUTONE_COUNT(pthread_cond_clockwait,
              (pthread_cond_t * condition, pthread_mutex_t* mutex, clockid_t clock, const timespec* until),
              (condition, mutex, clock, until))
NEUTONE_COUNT(sem_wait, (sem_t * semaphore), (semaphore))
NEUTONE_COUNT(sem_timedwait, (sem_t * semaphore, const timespec* until), (semaphore, until))
NEUTONE_COUNT(sem_clockwait, (sem_t * semaphore, clockid_t clock, const timespec* until), (semaphore, clock, until))
NEUTONE_COUNT(__cxa_guard_acquire, (std::int64_t* guard), (guard))

}  // extern "C"
// NOLINTEND(bugprone-macro-parentheses,misc-const-correctness,readability-inconsistent-declaration-parameter-name)
// NOLINTEND(bugprone-reserved-identifier,cert-dcl*,cppcoreguidelines-avoid-non-const-global-variables)
