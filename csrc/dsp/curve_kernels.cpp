#include "curve_kernels.h"

#include <array>

#include "instruction_set.h"

namespace neutone::dsp {
namespace {

// The attributes stand on these alone: what they call is inlined into them.
bool baseline_are_clean(const float* values, std::size_t count) noexcept NEUTONE_NONBLOCKING {
  return kernel::are_clean(values, count);
}
void baseline_add_up(const float* values, std::size_t groups, CurveSums& sums) noexcept NEUTONE_NONBLOCKING {
  kernel::add_up(values, groups, sums);
}

#if defined(__GNUC__) && defined(__x86_64__)
[[gnu::target("avx2")]] bool avx2_are_clean(const float* values, std::size_t count) noexcept NEUTONE_NONBLOCKING {
  return kernel::are_clean(values, count);
}
[[gnu::target("avx2")]] void avx2_add_up(const float* values, std::size_t groups,
                                         CurveSums& sums) noexcept NEUTONE_NONBLOCKING {
  kernel::add_up(values, groups, sums);
}

constexpr std::array<CurveKernel, 2> kKernels{
    {{"baseline", baseline_are_clean, baseline_add_up}, {"AVX2", avx2_are_clean, avx2_add_up}}};
#else
constexpr std::array<CurveKernel, 1> kKernels{{{"baseline", baseline_are_clean, baseline_add_up}}};
#endif

}  // namespace

std::span<const CurveKernel> curve_kernels() noexcept { return supported(std::span<const CurveKernel>(kKernels)); }

const CurveKernel& curve_kernel() noexcept { return curve_kernels().back(); }

}  // namespace neutone::dsp
