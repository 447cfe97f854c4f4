#include "instruction_set.h"

#include <algorithm>

namespace neutone::dsp {
namespace {

std::size_t count_at_load() noexcept {
#if defined(__GNUC__) && defined(__x86_64__) && !defined(NEUTONE_PLAIN_LOOPS)
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return 1;
  const bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                          __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
  return has_avx512 ? 3 : 2;
#else
  return 1;
#endif
}

// The processor is asked when the library is loaded, so that no audio thread is the first to. Who is loaded before and
// filters at once finds a zero.
const std::size_t counted_at_load = count_at_load();

}  // namespace

std::size_t count_instruction_sets() noexcept { return std::max<std::size_t>(1, counted_at_load); }

}  // namespace neutone::dsp
