// Callgrind's switches, for Python: callbacks.py.
#include <valgrind/callgrind.h>

extern "C" {
// To be called once: callgrind miscounts when it is started again.
void start() { CALLGRIND_START_INSTRUMENTATION; }
void resume() { CALLGRIND_TOGGLE_COLLECT; }
// `name` has to outlive the process.
void dump(const char* name) {
  CALLGRIND_TOGGLE_COLLECT;
  CALLGRIND_DUMP_STATS_AT(name);
}
}
