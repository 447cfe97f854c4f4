#pragma once

#include <span>

#include "fir_kernel.h"
#include "realtime.h"

namespace neutone::dsp {

// The inner loops of the FIR filter, compiled for one instruction set. All have the bins in the same order.
struct FirKernel {
  const char* name;
  void (*sum_directly)(const DirectSum& sum) noexcept NEUTONE_NONBLOCKING;
  void (*sum_spectra)(const SpectrumSum& sum) noexcept NEUTONE_NONBLOCKING;
  // See kernel::transform.
  void (*transform)(const float* first_half, const float* second_half, std::size_t bins, const float* twiddles,
                    float* work, float* out, std::size_t tile_stride) noexcept NEUTONE_NONBLOCKING;
  void (*transform_back)(const float* in, std::size_t bins, const float* twiddles_end,
                         float* out) noexcept NEUTONE_NONBLOCKING;
};

// All that this processor can run, the fastest last. They differ by rounding.
[[nodiscard]] std::span<const FirKernel> fir_kernels() noexcept NEUTONE_NONBLOCKING;

// The fastest of them. [any thread, wait-free]
[[nodiscard]] const FirKernel& fir_kernel() noexcept NEUTONE_NONBLOCKING;

}  // namespace neutone::dsp
