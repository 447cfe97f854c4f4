#include "dsp/resampler_kernels.h"

#include <array>

namespace neutone::dsp {
namespace {

template <std::size_t Bytes, typename Real>
inline constexpr std::size_t kLanes = Bytes / sizeof(Real);

// Two functions for one instruction set. The attribute stands on these alone: what they call is inlined into them.
// NOLINTBEGIN(bugprone-macro-parentheses): an attribute cannot stand in them
#define NEUTONE_DEFINE_KERNEL(name, attribute, bytes)                                             \
  attribute void name##_float(const FilterRun<float>& run, const Planar<float>& out) noexcept {   \
    kernel::run_filter<float, kLanes<bytes, float>>(run, out);                                    \
  }                                                                                               \
  attribute void name##_double(const FilterRun<double>& run, const Planar<float>& out) noexcept { \
    kernel::run_filter<double, kLanes<bytes, double>>(run, out);                                  \
  }

// NOLINTEND(bugprone-macro-parentheses)
NEUTONE_DEFINE_KERNEL(baseline, , 32)

#if defined(__GNUC__) && defined(__x86_64__)
NEUTONE_DEFINE_KERNEL(avx2, [[gnu::target("avx2,fma")]], 32)
NEUTONE_DEFINE_KERNEL(avx512, [[gnu::target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma")]], 64)

constexpr std::array<ResamplerKernel, 3> kKernels{{{"baseline", baseline_float, baseline_double},
                                                   {"AVX2", avx2_float, avx2_double},
                                                   {"AVX-512", avx512_float, avx512_double}}};

std::size_t count_supported() noexcept {
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return 1;
  const bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                          __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
  return has_avx512 ? 3 : 2;
}
#else
constexpr std::array<ResamplerKernel, 1> kKernels{{{"baseline", baseline_float, baseline_double}}};

std::size_t count_supported() noexcept { return 1; }
#endif

}  // namespace

std::span<const ResamplerKernel> resampler_kernels() noexcept {
  static const std::size_t n_supported = count_supported();
  return std::span(kKernels).first(n_supported);
}

const ResamplerKernel& resampler_kernel() noexcept {
  static const ResamplerKernel& fastest = resampler_kernels().back();
  return fastest;
}

namespace {

// The processor is asked when the library is loaded, so that no audio thread is the first to.
[[maybe_unused]] const ResamplerKernel& asked_at_load = resampler_kernel();

}  // namespace

}  // namespace neutone::dsp
