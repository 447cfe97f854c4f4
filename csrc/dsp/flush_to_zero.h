#pragma once

#include <cstdint>

#if defined(__SSE__) || defined(_M_X64)
#include <xmmintrin.h>
#endif

namespace neutone::dsp {

// While one lives, the calling thread's processor takes denormal numbers for zero, and makes none: arithmetic with them
// can take a hundred times as long, and a signal that fades away reaches them. The thread's own mode comes back after.
// Without effect on processors that it does not know.
class ScopedFlushToZero {
 public:
  explicit ScopedFlushToZero(bool enabled = true) noexcept : before_(mode()) {
    if (enabled) set_mode(before_ | kFlush);
  }
  ScopedFlushToZero(const ScopedFlushToZero&) = delete;
  ScopedFlushToZero& operator=(const ScopedFlushToZero&) = delete;
  ~ScopedFlushToZero() { set_mode(before_); }

 private:
#if defined(__SSE__) || defined(_M_X64)
  static constexpr std::uint64_t kFlush = 0x8040;  // results, bit 15, and operands, bit 6, of MXCSR
  static std::uint64_t mode() noexcept { return _mm_getcsr(); }
  static void set_mode(std::uint64_t mode) noexcept { _mm_setcsr(static_cast<unsigned>(mode)); }
#elif defined(__aarch64__) && defined(__GNUC__)
  static constexpr std::uint64_t kFlush = std::uint64_t{1} << 24;  // FZ of FPCR, both ways
  static std::uint64_t mode() noexcept {
    std::uint64_t mode = 0;
    asm volatile("mrs %0, fpcr" : "=r"(mode));
    return mode;
  }
  static void set_mode(std::uint64_t mode) noexcept { asm volatile("msr fpcr, %0" : : "r"(mode)); }
#else
  static constexpr std::uint64_t kFlush = 0;
  static std::uint64_t mode() noexcept { return 0; }
  static void set_mode(std::uint64_t /*mode*/) noexcept {}
#endif

  std::uint64_t before_;
};

}  // namespace neutone::dsp
