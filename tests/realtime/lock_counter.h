#pragma once

#include <cstddef>

// Counts what a thread asks of locks and of what waits. Linking lock_counter.cpp into an executable, or loading it
// before the C library, is what switches it on.
namespace neutone::test {

// Calls that this thread has made to mutexes, other locks and condition variables, to release and to signal as well as
// to wait, to semaphores to wait, and to the guard of a local static variable. Not counted is what wakes another thread
// and never waits itself: sem_post.
[[nodiscard]] std::size_t lock_calls() noexcept;

}  // namespace neutone::test
