#pragma once

#include <span>

#include "realtime.h"
#include "resampler_kernel.h"

namespace neutone::dsp {

// The resampler's inner loop, compiled for one instruction set.
struct ResamplerKernel {
  const char* name;
  void (*run_float)(const FilterRun<float>& run, const Planar<float>& out) noexcept NEUTONE_NONBLOCKING;
  void (*run_double)(const FilterRun<double>& run, const Planar<float>& out) noexcept NEUTONE_NONBLOCKING;

  void run(const FilterRun<float>& run, const Planar<float>& out) const noexcept NEUTONE_NONBLOCKING {
    run_float(run, out);
  }
  void run(const FilterRun<double>& run, const Planar<float>& out) const noexcept NEUTONE_NONBLOCKING {
    run_double(run, out);
  }
};

// All that this processor can run, the fastest last. They differ by rounding.
[[nodiscard]] std::span<const ResamplerKernel> resampler_kernels() noexcept NEUTONE_NONBLOCKING;

// The fastest of them. [any thread, wait-free]
[[nodiscard]] const ResamplerKernel& resampler_kernel() noexcept NEUTONE_NONBLOCKING;

}  // namespace neutone::dsp
