#pragma once

#include <span>

#include "realtime.h"
#include "svf_kernel.h"

namespace neutone::dsp {

// The state-variable filter's inner loops, compiled for one instruction set.
struct SvfKernel {
  const char* name;
  void (*run)(const SvfRun& run) noexcept NEUTONE_NONBLOCKING;
};

// All that this processor can run, the fastest last. They differ by rounding.
[[nodiscard]] std::span<const SvfKernel> svf_kernels() noexcept NEUTONE_NONBLOCKING;

// The fastest of them. [any thread, wait-free]
[[nodiscard]] const SvfKernel& svf_kernel() noexcept NEUTONE_NONBLOCKING;

}  // namespace neutone::dsp
