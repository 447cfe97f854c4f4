#pragma once

#include <span>
#include <vector>

#include "dsp/fir.h"
#include "ops/tensors.h"

// A FIR filter in tensors: `table` (n,) float32, twiddles and taps; `history` (channels, m) float32, all that a channel
// remembers; `state` (8,) int64, the plan and the cursor. dsp/fir_plan.h says what lies where.
namespace neutone::ops {

// Longer than any stream, and far from what overflows.
inline constexpr int64_t kMaxFadeFrames = 1'000'000'000'000;

// The taps in a float64 tensor `(n_taps,)`. Raises unless dsp::check_fir_taps takes them.
[[nodiscard]] std::span<const double> checked_taps(const char* op, const Tensor& taps);

// A filter at the start of its stream.
struct NewFir {
  Tensor table;
  Tensor history;
  Tensor state;
};
[[nodiscard]] NewFir new_fir(std::span<const double> taps, std::size_t channels);

// Looks at the three tensors. Raises if they do not fit each other, or hold numbers that no filter can have.
[[nodiscard]] dsp::FirView fir_in(const char* op, const Tensor& table, const Tensor& history, const Tensor& state);

}  // namespace neutone::ops
