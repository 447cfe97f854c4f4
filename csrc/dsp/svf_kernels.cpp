#include "dsp/svf_kernels.h"

#include <array>

namespace neutone::dsp {
namespace {

// The attribute stands on these alone: what they call is inlined into them.
void baseline(const SvfRun& run) noexcept { kernel::run_svf(run); }

#if defined(__GNUC__) && defined(__x86_64__)
// Wider vectors would not help: most of the time goes into the recursion, which has two lanes.
[[gnu::target("avx2,fma")]] void avx2(const SvfRun& run) noexcept { kernel::run_svf(run); }

constexpr std::array<SvfKernel, 2> kKernels{{{"baseline", baseline}, {"AVX2", avx2}}};

std::size_t count_supported() noexcept {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? 2 : 1;
}
#else
constexpr std::array<SvfKernel, 1> kKernels{{{"baseline", baseline}}};

std::size_t count_supported() noexcept { return 1; }
#endif

}  // namespace

std::span<const SvfKernel> svf_kernels() noexcept {
  static const std::size_t n_supported = count_supported();
  return std::span(kKernels).first(n_supported);
}

const SvfKernel& svf_kernel() noexcept {
  static const SvfKernel& fastest = svf_kernels().back();
  return fastest;
}

namespace {

// The processor is asked when the library is loaded, so that no audio thread is the first to.
[[maybe_unused]] const SvfKernel& asked_at_load = svf_kernel();

}  // namespace

}  // namespace neutone::dsp
