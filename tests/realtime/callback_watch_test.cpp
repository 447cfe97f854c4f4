#include "callback_watch.h"

#include <semaphore.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <stdexcept>
#include <thread>

#include "check.h"

using neutone::test::CallbackCounts;
using neutone::test::CallbackWatch;

namespace {

template <typename Action>
CallbackCounts counts_of(const Action& action) {
  CallbackWatch watch;
  watch.run(action);
  return watch.counts();
}

// Keeps compilers from leaving out what nothing looks at.
template <typename Value>
void use(Value value) {
  static_cast<void>(*const_cast<const volatile Value*>(&value));
}

void arithmetic_is_no_violation() {
  volatile double sum = 0.0;
  const CallbackCounts counts = counts_of([&] {
    for (int i = 0; i < 1000; ++i) sum = sum + static_cast<double>(i);
  });
  CHECK(counts.violations() == 0);
  CHECK(counts.system.wakes == 0);
}

void the_heap_is_counted() {
  CHECK(counts_of([] { use(std::make_unique<float>(1.0F).get()); }).heap >= 2);
  CHECK(counts_of([] { use(std::make_unique<std::array<char, 1U << 24U>>().get()); }).system.others == 1);
}

void locks_are_counted_without_anybody_to_wait_for() {
  std::mutex mutex;
  std::shared_mutex shared_mutex;
  std::condition_variable condition;
  CHECK(counts_of([&] { const std::scoped_lock lock(mutex); }).locks == 2);
  CHECK(counts_of([&] { const std::shared_lock lock(shared_mutex); }).locks == 2);
  CHECK(counts_of([&] { const std::unique_lock lock(mutex, std::try_to_lock); }).locks == 2);
  CHECK(counts_of([&] { condition.notify_one(); }).locks == 1);
  CHECK(counts_of([&] { condition.notify_all(); }).locks == 1);
}

void waiting_is_counted() {
  using namespace std::chrono_literals;
  std::mutex mutex;
  std::condition_variable condition;
  std::unique_lock lock(mutex);
  const CallbackCounts counts = counts_of([&] { condition.wait_for(lock, 1us); });
  CHECK(counts.locks >= 1);
  CHECK(counts.system.others == 1);
  sem_t semaphore;
  sem_init(&semaphore, 0, 1);
  CHECK(counts_of([&] { sem_wait(&semaphore); }).violations() == 1);
  CHECK(counts_of([] { std::this_thread::sleep_for(1us); }).system.latest == SYS_clock_nanosleep);
  CHECK(counts_of([] { std::this_thread::yield(); }).system.latest == SYS_sched_yield);
}

struct Slow {
  Slow() { use(this); }
};

void a_local_static_is_counted_the_first_time() {
  const auto first_use = [] { static const Slow kSlow; };
  CHECK(counts_of(first_use).locks == 1);
  CHECK(counts_of(first_use).locks == 0);
}

void an_exception_is_counted() {
  const CallbackCounts counts = counts_of([] {
    try {
      throw std::runtime_error("planted");
    } catch (const std::runtime_error&) {
      use(0);
    }
  });
  CHECK(counts.heap >= 1);
}

void every_call_of_the_system_is_counted_and_carried_out() {
  std::array<int, 2> ends{};
  CHECK(pipe(ends.data()) == 0);
  char letter = 'a';
  CHECK(counts_of([&] { use(write(ends[1], "b", 1)); }).system.latest == SYS_write);
  CHECK(counts_of([&] { use(read(ends[0], &letter, 1)); }).system.latest == SYS_read);
  CHECK(letter == 'b');
  pid_t process = 0;
  const auto without_the_library = [&] {
    // NOLINTNEXTLINE(portability-no-assembler,hicpp-no-assembler): the file is for one processor
    asm volatile("syscall" : "=a"(process) : "a"(SYS_getpid) : "rcx", "r11", "memory");
  };
  const CallbackCounts counts = counts_of(without_the_library);
  CHECK(counts.system.others == 1);
  CHECK(process == getpid());
  close(ends[0]);
  close(ends[1]);
}

void each_callback_counts_anew() {
  CallbackWatch watch;
  for (int callback = 0; callback < 3; ++callback) watch.run([] { std::this_thread::yield(); });
  CHECK(watch.counts().system.others == 3);
}

// The one call that an audio thread makes: a wake, which is told apart.
void a_wake_is_no_violation_and_reaches_its_thread() {
  sem_t semaphore;
  sem_init(&semaphore, 0, 0);
  std::atomic<bool> stops = false;
  std::thread other([&] {
    while (!stops) sem_wait(&semaphore);
  });
  CallbackWatch watch;
  while (watch.counts().system.wakes == 0) watch.run([&] { sem_post(&semaphore); });
  stops = true;
  sem_post(&semaphore);
  other.join();
  CHECK(watch.counts().violations() == 0);
}

void what_other_threads_do_is_not_counted() {
  std::atomic<bool> stops = false;
  std::thread other([&] {
    while (!stops) use(std::make_unique<float>(1.0F).get());
  });
  const CallbackCounts counts = counts_of([] {
    volatile int sum = 0;
    for (int i = 0; i < 1'000'000; ++i) sum = sum + i;
  });
  stops = true;
  other.join();
  CHECK(counts.violations() == 0);
}

}  // namespace

int main() {
  return neutone::test::run_tests({
      TEST(arithmetic_is_no_violation),
      TEST(the_heap_is_counted),
      TEST(locks_are_counted_without_anybody_to_wait_for),
      TEST(waiting_is_counted),
      TEST(a_local_static_is_counted_the_first_time),
      TEST(an_exception_is_counted),
      TEST(every_call_of_the_system_is_counted_and_carried_out),
      TEST(each_callback_counts_anew),
      TEST(a_wake_is_no_violation_and_reaches_its_thread),
      TEST(what_other_threads_do_is_not_counted),
  });
}
