#pragma once

#include <cstddef>

// Counts what a thread asks of the heap. Linking allocation_counter.cpp into an executable is what switches it on.
namespace neutone::test {

// Calls to the heap that this thread has made, to allocate as well as to release. A `new` may count twice: once
// itself, once for the malloc underneath.
[[nodiscard]] std::size_t heap_calls() noexcept;

// False where the C library does not let a program replace malloc: there only C++'s own allocations count.
[[nodiscard]] bool counts_malloc() noexcept;

// How many calls to the heap `action` makes on this thread.
template <typename Action>
[[nodiscard]] std::size_t count_heap_calls(const Action& action) {
  const std::size_t before = heap_calls();
  action();
  return heap_calls() - before;
}

}  // namespace neutone::test
