#include "allocation_counter.h"

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <new>

// What this file is for is what these checks are against: it is the heap for its executable.
// NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl*,cppcoreguidelines-avoid-non-const-global-variables)
// NOLINTBEGIN(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory,clang-analyzer-unix.MismatchedDeallocator)

namespace {

thread_local std::size_t calls = 0;  // lies in the executable's own storage, so that counting does not allocate

}  // namespace

namespace neutone::test {

std::size_t heap_calls() noexcept { return calls; }

bool counts_malloc() noexcept {
#ifdef __GLIBC__
  return true;
#else
  return false;
#endif
}

}  // namespace neutone::test

#ifdef __GLIBC__
extern "C" {

// The same functions under glibc's other names for them, which nobody replaces.
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t nmemb, std::size_t size);
void* __libc_realloc(void* ptr, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
void __libc_free(void* ptr);

void* malloc(std::size_t size) noexcept {
  ++calls;
  return __libc_malloc(size);
}

void* calloc(std::size_t nmemb, std::size_t size) noexcept {
  ++calls;
  return __libc_calloc(nmemb, size);
}

void* realloc(void* ptr, std::size_t size) noexcept {
  ++calls;
  return __libc_realloc(ptr, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  ++calls;
  return __libc_memalign(alignment, size);
}

int posix_memalign(void** memptr, std::size_t alignment, std::size_t size) noexcept {
  ++calls;
  *memptr = __libc_memalign(alignment, size);
  return *memptr == nullptr ? ENOMEM : 0;
}

void free(void* ptr) noexcept {
  ++calls;
  __libc_free(ptr);
}

}  // extern "C"
#endif

// The array and nothrow forms end here too; the library's aligned forms end in aligned_alloc.
void* operator new(std::size_t size) {
  ++calls;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}

void operator delete(void* memory) noexcept {
  ++calls;
  std::free(memory);
}

void operator delete(void* memory, std::size_t /*size*/) noexcept { operator delete(memory); }

// NOLINTEND(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory,clang-analyzer-unix.MismatchedDeallocator)
// NOLINTEND(bugprone-reserved-identifier,cert-dcl*,cppcoreguidelines-avoid-non-const-global-variables)
