#pragma once

#include <span>

#include "curve_kernel.h"
#include "realtime.h"

namespace neutone::dsp {

// The loops over a parameter's curve, compiled for one instruction set.
struct CurveKernel {
  const char* name;
  bool (*are_clean)(const float* values, std::size_t count) noexcept NEUTONE_NONBLOCKING;
  void (*add_up)(const float* values, std::size_t groups, CurveSums& sums) noexcept NEUTONE_NONBLOCKING;
};

// All that this processor can run, the fastest last. They give the same bits.
[[nodiscard]] std::span<const CurveKernel> curve_kernels() noexcept NEUTONE_NONBLOCKING;

// The fastest of them. [any thread, wait-free]
[[nodiscard]] const CurveKernel& curve_kernel() noexcept NEUTONE_NONBLOCKING;

}  // namespace neutone::dsp
