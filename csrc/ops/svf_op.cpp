// Adapts dsp::SvfView to tensors.
#include <array>
#include <utility>

#include "dsp/svf.h"
#include "ops/registration.h"
#include "ops/tensors.h"

namespace {

using neutone::dsp::Planar;
using neutone::dsp::SvfControls;
using neutone::dsp::SvfState;
using neutone::dsp::SvfView;
using neutone::ops::check_apart;
using neutone::ops::check_memory;
using neutone::ops::check_tensor;
using neutone::ops::Memory;
using neutone::ops::memory_of;
using neutone::ops::new_frames;
using neutone::ops::NewFrames;
using neutone::ops::readable_control;
using neutone::ops::readable_frames;
using neutone::ops::ScalarType;
using neutone::ops::Tensor;

constexpr const char* kOp = "svf";
constexpr int64_t kStateNumbers = 7;
static_assert(sizeof(SvfState) == kStateNumbers * sizeof(double));

// `state` (channels, 7) float64: see dsp::SvfState.
SvfState* states_in(const Tensor& state, std::size_t channels) {
  check_tensor(kOp, "state", state, 2, ScalarType::Double);
  check_memory(kOp, "state", state, alignof(SvfState));
  STD_TORCH_CHECK(std::cmp_equal(state.size(0), channels) && state.size(1) == kStateNumbers, kOp,
                  ": state must have shape (", channels, ", ", kStateNumbers, "), got (", state.size(0), ", ",
                  state.size(1), ")");
  return reinterpret_cast<SvfState*>(state.mutable_data_ptr<double>());
}

// Filters a block: audio (channels, n) -> the same shape, fresh. cutoff_hz and resonance (channels or 1, n or 1, 1);
// mix (channels or 1, n or 1, 3) of band, low and high.
Tensor svf(const Tensor& audio, const Tensor& cutoff_hz, const Tensor& resonance, const Tensor& mix,
           double sample_rate_hz, const Tensor& state) {
  const Planar<const float> in = readable_frames(kOp, "audio", audio);
  const SvfControls controls{readable_control(kOp, "cutoff_hz", cutoff_hz, in, 1),
                             readable_control(kOp, "resonance", resonance, in, 1),
                             readable_control(kOp, "mix", mix, in, 3, 0), readable_control(kOp, "mix", mix, in, 3, 1),
                             readable_control(kOp, "mix", mix, in, 3, 2)};
  STD_TORCH_CHECK(neutone::dsp::is_svf_rate(sample_rate_hz), kOp, ": sample_rate_hz must be in 1..768000, got ",
                  sample_rate_hz);
  SvfState* const states = states_in(state, in.channels);
  const Memory written{"state", states, states + in.channels};
  for (const Memory& read :
       {memory_of("audio", in), memory_of("cutoff_hz", controls.cutoff_hz), memory_of("resonance", controls.resonance),
        memory_of("mix", controls.mix_band), memory_of("mix", controls.mix_low), memory_of("mix", controls.mix_high)}) {
    check_apart(kOp, read, written);
  }
  NewFrames out = new_frames(in.channels, in.frames);
  SvfView(sample_rate_hz, states, in.channels).process(in, controls, out.frames);
  return std::move(out.tensor);
}

bool is_first_copy = false;  // see define; NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

}  // namespace

STABLE_TORCH_LIBRARY_FRAGMENT(neutone, m) {
  is_first_copy = neutone::ops::define(m, {
                                              "svf(Tensor audio, Tensor cutoff_hz, Tensor resonance, Tensor mix, "
                                              "float sample_rate_hz, Tensor(a!) state) -> Tensor",
                                          });
}

STABLE_TORCH_LIBRARY_IMPL(neutone, CompositeExplicitAutograd, m) {
  if (!is_first_copy) return;
  m.impl("svf", neutone::ops::boxed<&svf>);
}
