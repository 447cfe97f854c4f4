#pragma once

#include <span>

#include "biquad_kernel.h"
#include "realtime.h"

namespace neutone::dsp {

// The biquad cascade's inner loop, compiled for one instruction set.
struct BiquadKernel {
  const char* name;
  void (*run)(const BiquadRun& run, const Planar<const float>& in,
              const Planar<float>& out) noexcept NEUTONE_NONBLOCKING;
};

// All that this processor can run, the fastest last. They differ by rounding.
[[nodiscard]] std::span<const BiquadKernel> biquad_kernels() noexcept NEUTONE_NONBLOCKING;

// The fastest of them. [any thread, wait-free]
[[nodiscard]] const BiquadKernel& biquad_kernel() noexcept NEUTONE_NONBLOCKING;

}  // namespace neutone::dsp
