// Adapts dsp::FirView and dsp::design_fir to tensors.
#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "dsp/fir.h"
#include "dsp/fir_design.h"
#include "ops/fir_tensors.h"
#include "ops/registration.h"
#include "ops/tensors.h"

namespace {

using neutone::dsp::FirView;
using neutone::dsp::Planar;
using neutone::ops::check_apart;
using neutone::ops::checked_count;
using neutone::ops::checked_taps;
using neutone::ops::fir_in;
using neutone::ops::kMaxFadeFrames;
using neutone::ops::Memory;
using neutone::ops::memory_of;
using neutone::ops::new_frames;
using neutone::ops::NewFir;
using neutone::ops::NewFrames;
using neutone::ops::readable_frames;
using neutone::ops::ScalarType;
using neutone::ops::Tensor;

// Over the rate. Raises in terms of Hz, where the core would speak of what it gets.
std::vector<double> normalized(const char* op, std::vector<double> cutoffs_hz, double sample_rate_hz) {
  STD_TORCH_CHECK(std::isfinite(sample_rate_hz) && sample_rate_hz > 0.0, op,
                  ": sample_rate_hz must be finite and above 0, got ", sample_rate_hz);
  for (double& cutoff : cutoffs_hz) {
    const double normalized_cutoff = cutoff / sample_rate_hz;
    STD_TORCH_CHECK(normalized_cutoff > 0.0 && normalized_cutoff < 0.5, op,
                    ": cutoffs_hz must be above 0 and below half the sample rate, ", 0.5 * sample_rate_hz, " Hz, got ",
                    cutoff);
    cutoff = normalized_cutoff;
  }
  STD_TORCH_CHECK(cutoffs_hz.size() != 2 || cutoffs_hz[0] < cutoffs_hz[1], op,
                  ": cutoffs_hz must rise, the first below the second, got ", cutoffs_hz[0] * sample_rate_hz, " and ",
                  cutoffs_hz.back() * sample_rate_hz);
  return cutoffs_hz;
}

// (n_taps,) float64, linear phase.
Tensor fir_design(const std::string& kind, std::vector<double> cutoffs_hz, double sample_rate_hz, int64_t n_taps) {
  constexpr const char* kOp = "fir_design";
  const std::vector<double> cutoffs = normalized(kOp, std::move(cutoffs_hz), sample_rate_hz);
  try {
    const auto designed = neutone::dsp::design_fir(neutone::dsp::fir_kind(kind), cutoffs, n_taps);
    Tensor taps = neutone::ops::new_tensor(std::array{n_taps}, ScalarType::Double);
    std::ranges::copy(designed, taps.mutable_data_ptr<double>());
    return taps;
  } catch (const std::invalid_argument& error) {
    STD_TORCH_CHECK(false, kOp, ": ", error.what());
  }
}

// table, history and state of a filter at the start of its stream.
std::tuple<Tensor, Tensor, Tensor> new_fir(const Tensor& taps, int64_t n_channels) {
  constexpr const char* kOp = "new_fir";
  STD_TORCH_CHECK(n_channels >= 1, kOp, ": n_channels must be at least 1, got ", n_channels);
  NewFir made = neutone::ops::new_fir(checked_taps(kOp, taps), static_cast<std::size_t>(n_channels));
  return {std::move(made.table), std::move(made.history), std::move(made.state)};
}

// The next frames of the stream, filtered: as many, and as many channels.
Tensor fir(const Tensor& audio, const Tensor& table, const Tensor& history, const Tensor& state) {
  constexpr const char* kOp = "fir";
  const Planar<const float> in = readable_frames(kOp, "audio", audio);
  FirView view = fir_in(kOp, table, history, state);
  STD_TORCH_CHECK(in.channels == view.channels(), kOp, ": audio must have the filter's ", view.channels(),
                  " channels, got ", in.channels);
  check_apart(kOp, memory_of("audio", in), memory_of("history", view.memory()));
  NewFrames out = new_frames(in.channels, in.frames);
  view.process(in, out.frames);
  return std::move(out.tensor);
}

// Cross-fades to as many other taps.
void fir_set_taps(const Tensor& taps, int64_t n_fade_frames, const Tensor& table, const Tensor& history,
                  const Tensor& state) {
  constexpr const char* kOp = "fir_set_taps";
  const std::span<const double> values = checked_taps(kOp, taps);
  const std::size_t fade_frames = checked_count(kOp, "n_fade_frames", n_fade_frames);
  STD_TORCH_CHECK(n_fade_frames <= kMaxFadeFrames, kOp, ": n_fade_frames must be at most ", kMaxFadeFrames, ", got ",
                  n_fade_frames);
  FirView view = fir_in(kOp, table, history, state);
  STD_TORCH_CHECK(values.size() == view.plan().taps, kOp, ": taps must be the filter's ", view.plan().taps, ", got ",
                  values.size());
  const Memory taps_memory{"taps", values.data(), values.data() + values.size()};
  auto* const numbers = table.mutable_data_ptr<float>();
  check_apart(kOp, taps_memory, {"table", numbers, numbers + view.plan().table_size()});
  check_apart(kOp, taps_memory, memory_of("history", view.memory()));
  view.set_taps(numbers, values, fade_frames);
}

// Forgets all audio, and ends a cross-fade.
void fir_reset(const Tensor& table, const Tensor& history, const Tensor& state) {
  fir_in("fir_reset", table, history, state).reset();
}

constexpr const char* kSetTaps =
    "fir_set_taps(Tensor taps, int n_fade_frames, Tensor(a!) table, Tensor(b!) history, Tensor(c!) state) -> ()";

bool is_first_copy = false;  // see define; NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

}  // namespace

STABLE_TORCH_LIBRARY_FRAGMENT(neutone, m) {
  is_first_copy = neutone::ops::define(
      m, {
             "fir_design(str kind, float[] cutoffs_hz, float sample_rate_hz, int n_taps) -> Tensor",
             "new_fir(Tensor taps, int n_channels) -> (Tensor, Tensor, Tensor)",
             "fir(Tensor audio, Tensor table, Tensor(a!) history, Tensor(b!) state) -> Tensor",
             kSetTaps,
             "fir_reset(Tensor table, Tensor(a!) history, Tensor(b!) state) -> ()",
         });
}

STABLE_TORCH_LIBRARY_IMPL(neutone, CompositeExplicitAutograd, m) {
  if (!is_first_copy) return;
  m.impl("fir_design", neutone::ops::boxed<&fir_design>);
  m.impl("new_fir", neutone::ops::boxed<&new_fir>);
  m.impl("fir", neutone::ops::boxed<&fir>);
  m.impl("fir_set_taps", neutone::ops::boxed<&fir_set_taps>);
  m.impl("fir_reset", neutone::ops::boxed<&fir_reset>);
}
