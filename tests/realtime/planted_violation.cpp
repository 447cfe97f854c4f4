// What RealtimeSanitizer has to catch: each argument names something that an audio thread must not do. The compiler
// says so too, and is told to go on unless it is asked.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <mutex>
#include <string_view>
#include <thread>

#include "dsp/realtime.h"

#ifndef NEUTONE_LET_THE_COMPILER_SAY
NEUTONE_EXEMPT_BEGIN
#endif

namespace {

// NOLINTBEGIN(cppcoreguidelines-avoid-non-const-global-variables): marked functions cannot make their own
std::unique_ptr<float[]> allocated;
std::mutex mutex;
// NOLINTEND(cppcoreguidelines-avoid-non-const-global-variables)

void allocate() noexcept NEUTONE_NONBLOCKING { allocated = std::make_unique<float[]>(512); }
void release() noexcept NEUTONE_NONBLOCKING { allocated.reset(); }
void lock() noexcept NEUTONE_NONBLOCKING { const std::scoped_lock lock(mutex); }
void take_a_break() noexcept NEUTONE_NONBLOCKING { std::this_thread::sleep_for(std::chrono::microseconds(1)); }
void print() noexcept NEUTONE_NONBLOCKING { std::puts("planted"); }

#ifndef NEUTONE_LET_THE_COMPILER_SAY
NEUTONE_EXEMPT_END
#endif

}  // namespace

int main(int argc, char** argv) {  // NOLINT(misc-const-correctness): as the language has it
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (what == "free") allocated = std::make_unique<float[]>(512);
  std::thread audio_thread([what] {
    if (what == "malloc") allocate();
    if (what == "free") release();
    if (what == "pthread_mutex_lock") lock();
    if (what == "nanosleep") take_a_break();
    if (what == "puts") print();
  });
  audio_thread.join();
  std::cout << "nobody objects\n";
  return EXIT_SUCCESS;
}
