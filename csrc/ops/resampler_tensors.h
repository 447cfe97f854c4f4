#pragma once

#include <string>

#include "dsp/resampler.h"
#include "ops/tensors.h"

// A resampler in tensors: `table` (rows, taps) float32, or float64 for high quality; `history` (channels, frames) of
// the same dtype; `state` (8,) int64, the plan and the cursor.
namespace neutone::ops {

// The argument of that name. Raises unless it is one of the three.
[[nodiscard]] dsp::ResamplerQuality checked_quality(const char* op, const std::string& quality);
// Raises where dsp::plan_resampler throws.
[[nodiscard]] dsp::ResamplerPlan checked_plan(const char* op, int64_t from_hz, int64_t to_hz,
                                              dsp::ResamplerQuality quality);

// A resampler at the start of its stream, with the least delay.
struct NewResampler {
  Tensor table;
  Tensor history;
  Tensor state;
};
[[nodiscard]] NewResampler new_resampler(const dsp::ResamplerPlan& plan, dsp::ResamplerQuality quality,
                                         std::size_t channels);

// Looks at the three tensors. Raises if they do not fit each other, or hold numbers that no resampler can have.
template <typename Real>
[[nodiscard]] dsp::ResamplerView<Real> resampler_in(const char* op, const Tensor& table, const Tensor& history,
                                                    const Tensor& state);

}  // namespace neutone::ops
