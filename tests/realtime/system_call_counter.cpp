#include "system_call_counter.h"

#include <linux/futex.h>
#include <linux/prctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <system_error>

// Calls of the system that are always carried out: those of the handler, which are the only ones in this range of code.
// The last one never returns, and the kernel takes a call for being where the processor goes on.
// NOLINTNEXTLINE(portability-no-assembler,hicpp-no-assembler): the file is for one processor
asm(R"(
  .text
  .type neutone_call_system, @function
neutone_call_system:
  mov %rdi, %rax
  mov %rsi, %rdi
  mov %rdx, %rsi
  mov %rcx, %rdx
  mov %r8, %r10
  mov %r9, %r8
  mov 8(%rsp), %r9
  syscall
  ret
  .type neutone_return_from_signal, @function
neutone_return_from_signal:
  mov $15, %eax
  syscall
  ud2
neutone_calls_end:
)");

// NOLINTBEGIN(cppcoreguidelines-avoid-non-const-global-variables): what a signal handler and its thread share

extern "C" {

[[gnu::visibility("hidden")]] long neutone_call_system(long number, long a, long b, long c, long d, long e, long f);
[[gnu::visibility("hidden")]] void neutone_return_from_signal();
[[gnu::visibility("hidden")]] extern const char neutone_calls_end[];  // NOLINT(*-avoid-c-arrays)

}  // extern "C"

namespace {

// As the kernel wants it, which differs from the C library's.
struct KernelSignalAction {
  void (*handler)(int, siginfo_t*, void*);
  unsigned long flags;
  void (*restorer)();
  std::uint64_t mask;
};

thread_local volatile char selector = SYSCALL_DISPATCH_FILTER_ALLOW;
thread_local neutone::test::SystemCalls calls;

bool is_wake(const greg_t* registers) noexcept {
  if (registers[REG_RAX] != SYS_futex) return false;
  constexpr unsigned kFlags = FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME;
  const unsigned command = static_cast<unsigned>(registers[REG_RSI]) & ~kFlags;
  return command == FUTEX_WAKE || command == FUTEX_WAKE_BITSET;
}

// A wake is carried out here, so that the watch goes on. Anything else counts, is made again, and all that follows it.
void on_system_call(int /*signal*/, siginfo_t* /*info*/, void* context) noexcept {
  greg_t* const registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  if (is_wake(registers)) {
    ++calls.wakes;
    registers[REG_RAX] = neutone_call_system(SYS_futex, registers[REG_RDI], registers[REG_RSI], registers[REG_RDX],
                                             registers[REG_R10], registers[REG_R8], registers[REG_R9]);
    return;
  }
  constexpr greg_t kInstructionBytes = 2;
  ++calls.others;
  calls.latest = static_cast<long>(registers[REG_RAX]);
  selector = SYSCALL_DISPATCH_FILTER_ALLOW;
  registers[REG_RIP] -= kInstructionBytes;
}

void check(long result, const char* what) {
  if (result >= 0) return;
  throw std::system_error(static_cast<int>(-result), std::generic_category(), what);
}

}  // namespace

namespace neutone::test {

SystemCallWatch::SystemCallWatch() {
  constexpr unsigned long kHasRestorer = 0x04000000;
  const KernelSignalAction action{on_system_call, SA_SIGINFO | SA_NODEFER | kHasRestorer, neutone_return_from_signal,
                                  0};
  check(neutone_call_system(SYS_rt_sigaction, SIGSYS, reinterpret_cast<long>(&action), 0, sizeof(action.mask), 0, 0),
        "system calls cannot be watched: no handler");
  const auto begin = reinterpret_cast<std::uintptr_t>(&neutone_call_system);
  const auto bytes = reinterpret_cast<std::uintptr_t>(&neutone_calls_end) - begin;
  pause();
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-vararg,hicpp-vararg): the system's
  const int result = prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, begin, bytes, &selector);
  check(result == 0 ? 0 : -errno, "system calls cannot be watched: this needs Linux 5.11 or newer on x86-64");
}

SystemCallWatch::~SystemCallWatch() {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-vararg,hicpp-vararg): the system's
  prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_OFF, 0, 0, 0);
}

void SystemCallWatch::resume() noexcept { selector = SYSCALL_DISPATCH_FILTER_BLOCK; }
void SystemCallWatch::pause() noexcept { selector = SYSCALL_DISPATCH_FILTER_ALLOW; }
SystemCalls SystemCallWatch::counted() noexcept { return calls; }

}  // namespace neutone::test

// NOLINTEND(cppcoreguidelines-avoid-non-const-global-variables)
