#include "svf_kernels.h"

#include <array>

#include "instruction_set.h"

namespace neutone::dsp {
namespace {

// The attribute stands on these alone: what they call is inlined into them.
void baseline(const SvfRun& run) noexcept NEUTONE_NONBLOCKING { kernel::run_svf(run); }

#if defined(__GNUC__) && defined(__x86_64__)
// Wider vectors would not help: most of the time goes into the recursion, which has two lanes.
[[gnu::target("avx2,fma")]] void avx2(const SvfRun& run) noexcept NEUTONE_NONBLOCKING { kernel::run_svf(run); }

constexpr std::array<SvfKernel, 2> kKernels{{{"baseline", baseline}, {"AVX2", avx2}}};
#else
constexpr std::array<SvfKernel, 1> kKernels{{{"baseline", baseline}}};
#endif

}  // namespace

std::span<const SvfKernel> svf_kernels() noexcept { return supported(std::span<const SvfKernel>(kKernels)); }

const SvfKernel& svf_kernel() noexcept { return svf_kernels().back(); }

}  // namespace neutone::dsp
