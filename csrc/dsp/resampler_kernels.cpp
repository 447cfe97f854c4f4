#include "resampler_kernels.h"

#include <array>

#include "instruction_set.h"

namespace neutone::dsp {
namespace {

template <std::size_t Bytes, typename Real>
inline constexpr std::size_t kLanes = Bytes / sizeof(Real);

// Two functions for one instruction set. The attribute stands on these alone: what they call is inlined into them.
// NOLINTBEGIN(bugprone-macro-parentheses): an attribute cannot stand in them
#define NEUTONE_DEFINE_KERNEL(name, attribute, bytes)                                                                 \
  attribute void name##_float(const FilterRun<float>& run, const Planar<float>& out) noexcept NEUTONE_NONBLOCKING {   \
    kernel::run_filter<float, kLanes<bytes, float>>(run, out);                                                        \
  }                                                                                                                   \
  attribute void name##_double(const FilterRun<double>& run, const Planar<float>& out) noexcept NEUTONE_NONBLOCKING { \
    kernel::run_filter<double, kLanes<bytes, double>>(run, out);                                                      \
  }

// NOLINTEND(bugprone-macro-parentheses)
NEUTONE_DEFINE_KERNEL(baseline, , 32)

#if defined(__GNUC__) && defined(__x86_64__)
NEUTONE_DEFINE_KERNEL(avx2, [[gnu::target("avx2,fma")]], 32)
NEUTONE_DEFINE_KERNEL(avx512, [[gnu::target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma")]], 64)

constexpr std::array<ResamplerKernel, 3> kKernels{{{"baseline", baseline_float, baseline_double},
                                                   {"AVX2", avx2_float, avx2_double},
                                                   {"AVX-512", avx512_float, avx512_double}}};
#else
constexpr std::array<ResamplerKernel, 1> kKernels{{{"baseline", baseline_float, baseline_double}}};
#endif

}  // namespace

std::span<const ResamplerKernel> resampler_kernels() noexcept {
  return supported(std::span<const ResamplerKernel>(kKernels));
}

const ResamplerKernel& resampler_kernel() noexcept { return resampler_kernels().back(); }

}  // namespace neutone::dsp
