#include "biquad_kernels.h"

#include <array>

#include "instruction_set.h"
#include "simd.h"

namespace neutone::dsp {
namespace {

void baseline(const BiquadRun& run, const Planar<const float>& in,
              const Planar<float>& out) noexcept NEUTONE_NONBLOCKING {
  kernel::run_biquads<false>(run, in, out);
}

#if defined(NEUTONE_HAS_VECTORS) && defined(__x86_64__)
[[gnu::target("avx2,fma")]] void avx2(const BiquadRun& run, const Planar<const float>& in,
                                      const Planar<float>& out) noexcept NEUTONE_NONBLOCKING {
  kernel::run_biquads<true>(run, in, out);
}

constexpr std::array<BiquadKernel, 2> kKernels{{{"baseline", baseline}, {"AVX2", avx2}}};
#else
constexpr std::array<BiquadKernel, 1> kKernels{{{"baseline", baseline}}};
#endif

}  // namespace

std::span<const BiquadKernel> biquad_kernels() noexcept { return supported(std::span<const BiquadKernel>(kKernels)); }

const BiquadKernel& biquad_kernel() noexcept { return biquad_kernels().back(); }

}  // namespace neutone::dsp
