#include "dsp/biquad_kernels.h"

#include <array>

namespace neutone::dsp {
namespace {

void baseline(const BiquadRun& run, const Planar<const float>& in, const Planar<float>& out) noexcept {
  kernel::run_biquads<false>(run, in, out);
}

#if defined(__GNUC__) && defined(__x86_64__)
[[gnu::target("avx2,fma")]] void avx2(const BiquadRun& run, const Planar<const float>& in,
                                      const Planar<float>& out) noexcept {
  kernel::run_biquads<true>(run, in, out);
}

constexpr std::array<BiquadKernel, 2> kKernels{{{"baseline", baseline}, {"AVX2", avx2}}};

std::size_t count_supported() noexcept {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? 2 : 1;
}
#else
constexpr std::array<BiquadKernel, 1> kKernels{{{"baseline", baseline}}};

std::size_t count_supported() noexcept { return 1; }
#endif

}  // namespace

std::span<const BiquadKernel> biquad_kernels() noexcept {
  static const std::size_t n_supported = count_supported();
  return std::span(kKernels).first(n_supported);
}

const BiquadKernel& biquad_kernel() noexcept {
  static const BiquadKernel& fastest = biquad_kernels().back();
  return fastest;
}

namespace {

// The processor is asked when the library is loaded, so that no audio thread is the first to.
[[maybe_unused]] const BiquadKernel& asked_at_load = biquad_kernel();

}  // namespace

}  // namespace neutone::dsp
