// What the system makes of the threads that run models.

#include <array>
#include <atomic>
#include <memory>

#include "check.h"
#include "engine/thread_priority.h"
#include "engine_models.h"

#ifdef __linux__
#include <sched.h>
#include <sys/resource.h>

#include <thread>

using namespace neutone::test;  // NOLINT(google-build-using-namespace): all of it is for these tests

using neutone::engine::WorkerPriority;

namespace {

struct Found {
  bool was_preferred = false;
  int policy = SCHED_OTHER;
  int priority = 0;
};

Found in_a_thread_of_its_own() {
  Found found;
  std::thread([&found] {
    found.was_preferred = neutone::engine::prefer_this_thread();
    sched_param priority{};
    found.policy = sched_getscheduler(0);
    sched_getparam(0, &priority);
    found.priority = priority.sched_priority;
  }).join();
  return found;
}

void it_does_what_it_says() {
  const Found found = in_a_thread_of_its_own();
  CHECK(found.policy == (found.was_preferred ? SCHED_FIFO : SCHED_OTHER));
  CHECK(found.priority == (found.was_preferred ? sched_get_priority_min(SCHED_FIFO) : 0));
}

// The policy of the thread on which a pool runs a model.
int policy_of_a_worker(WorkerPriority priority) {
  std::atomic<int> policy{-1};
  Engine engine(std::make_shared<WorkerPool>(1, priority));
  engine.set_model(std::make_shared<TestModel>(
      format_of(16), [&policy](const Audio& audio, const Audio& params, const neutone::dsp::Planar<float>& out) {
        policy = sched_getscheduler(0);
        copy_through(audio, params, out);
      }));
  engine.prepare({.max_block_frames = 16}, {.latency_mode = LatencyMode::kBlocking});
  std::array<float, 32> audio{};
  const neutone::dsp::Planar<float> block{audio.data(), 2, 16, 16, 1};
  for (int i = 0; i < 2; ++i) engine.process(block, {}, block);
  return policy;
}

// Whether a thread of this process may be a real-time one.
bool is_allowed() {
  bool is_done = false;
  std::thread([&is_done] {
    sched_param priority{};
    priority.sched_priority = 1;
    is_done = sched_setscheduler(0, SCHED_FIFO, &priority) == 0;
  }).join();
  return is_done;
}

void it_asks_where_that_is_allowed() {
  rlimit longest{};
  CHECK(getrlimit(RLIMIT_RTTIME, &longest) == 0);
  CHECK(in_a_thread_of_its_own().was_preferred == (is_allowed() && longest.rlim_cur == RLIM_INFINITY));
}

void a_pool_asks_for_its_threads_if_it_is_to() {
  CHECK(policy_of_a_worker(WorkerPriority::kRealtime) == in_a_thread_of_its_own().policy);
  CHECK(policy_of_a_worker(WorkerPriority::kOrdinary) == SCHED_OTHER);
}

void where_long_work_is_punished_it_stays_an_ordinary_thread() {
  rlimit before{};
  CHECK(getrlimit(RLIMIT_RTTIME, &before) == 0);
  rlimit limited = before;
  limited.rlim_cur = 1'000'000;
  CHECK(setrlimit(RLIMIT_RTTIME, &limited) == 0);
  const Found found = in_a_thread_of_its_own();
  CHECK(setrlimit(RLIMIT_RTTIME, &before) == 0);
  CHECK(!found.was_preferred);
  CHECK(found.policy == SCHED_OTHER);
}

}  // namespace

int main() {
  return run_tests({TEST(it_does_what_it_says), TEST(it_asks_where_that_is_allowed),
                    TEST(a_pool_asks_for_its_threads_if_it_is_to),
                    TEST(where_long_work_is_punished_it_stays_an_ordinary_thread)});
}
#else
int main() { CHECK(!neutone::engine::prefer_this_thread()); }
#endif
