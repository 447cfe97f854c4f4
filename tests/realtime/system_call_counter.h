#pragma once

#include <cstddef>

// Counts what a thread asks of the kernel, all of it, whoever asks: the kernel itself reports each call, instead of
// carrying it out ("syscall user dispatch"). Linux 5.11 or newer on x86-64.
namespace neutone::test {

struct SystemCalls {
  std::size_t wakes = 0;   // of threads that wait, which sem_post makes, and never wait themselves
  std::size_t others = 0;  // of each stretch, the first at most: the rest of the stretch is not watched
  long latest = -1;        // number of the latest of the others
};

// While one lives, system calls of the thread that made it are counted where it says so.
class SystemCallWatch {
 public:
  // Throws std::system_error where the kernel cannot do it.
  SystemCallWatch();
  SystemCallWatch(const SystemCallWatch&) = delete;
  SystemCallWatch& operator=(const SystemCallWatch&) = delete;
  ~SystemCallWatch();

  // From here to `pause`, calls are counted. Neither calls the system.
  static void resume() noexcept;
  static void pause() noexcept;
  [[nodiscard]] static SystemCalls counted() noexcept;  // on this thread, ever
};

}  // namespace neutone::test
