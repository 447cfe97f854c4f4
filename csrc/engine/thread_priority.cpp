#include "thread_priority.h"

#ifdef __linux__
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#endif

namespace neutone::engine {

#ifdef __linux__
bool prefer_this_thread() noexcept {
  rlimit longest{};
  if (getrlimit(RLIMIT_RTTIME, &longest) != 0 || longest.rlim_cur != RLIM_INFINITY) return false;
  sched_param least{};
  least.sched_priority = sched_get_priority_min(SCHED_FIFO);
  return pthread_setschedparam(pthread_self(), SCHED_FIFO, &least) == 0;
}
#else
bool prefer_this_thread() noexcept { return false; }
#endif

}  // namespace neutone::engine
