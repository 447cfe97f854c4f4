#include "fir_kernels.h"

#include <array>

#include "instruction_set.h"

namespace neutone::dsp {
namespace {

// Functions for one instruction set. The attribute stands on these alone: what they call is inlined into them.
// NOLINTBEGIN(bugprone-macro-parentheses): an attribute cannot stand in them
#define NEUTONE_DEFINE_KERNEL(name, label, attribute, lanes)                                                           \
  attribute void name##_sum_directly(const DirectSum& sum) noexcept NEUTONE_NONBLOCKING {                              \
    kernel::sum_directly<lanes>(sum);                                                                                  \
  }                                                                                                                    \
  attribute void name##_sum_spectra(const SpectrumSum& sum) noexcept NEUTONE_NONBLOCKING { kernel::sum_spectra(sum); } \
  attribute void name##_transform(const float* first_half, const float* second_half, std::size_t bins,                 \
                                  const float* twiddles, float* work, float* out,                                      \
                                  std::size_t tile_stride) noexcept NEUTONE_NONBLOCKING {                              \
    kernel::transform({first_half, second_half}, bins, twiddles, work, out, tile_stride);                              \
  }                                                                                                                    \
  attribute void name##_transform_back(const float* in, std::size_t bins, const float* twiddles_end,                   \
                                       float* out) noexcept NEUTONE_NONBLOCKING {                                      \
    kernel::transform_back(in, bins, twiddles_end, out);                                                               \
  }                                                                                                                    \
  constexpr FirKernel name##_kernel{label, name##_sum_directly, name##_sum_spectra, name##_transform,                  \
                                    name##_transform_back};

// NOLINTEND(bugprone-macro-parentheses)
NEUTONE_DEFINE_KERNEL(baseline, "baseline", , 8)

#if defined(__GNUC__) && defined(__x86_64__)
NEUTONE_DEFINE_KERNEL(avx2, "AVX2", [[gnu::target("avx2,fma")]], 8)
NEUTONE_DEFINE_KERNEL(avx512, "AVX-512", [[gnu::target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma")]], 16)

constexpr std::array<FirKernel, 3> kKernels{baseline_kernel, avx2_kernel, avx512_kernel};
#else
constexpr std::array<FirKernel, 1> kKernels{baseline_kernel};
#endif

}  // namespace

std::span<const FirKernel> fir_kernels() noexcept { return supported(std::span<const FirKernel>(kKernels)); }

const FirKernel& fir_kernel() noexcept { return fir_kernels().back(); }

}  // namespace neutone::dsp
