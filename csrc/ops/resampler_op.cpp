// Adapts dsp::ResamplerView to tensors.
#include <numeric>

#include "dsp/resampler.h"
#include "ops/registration.h"
#include "ops/resampler_tensors.h"
#include "ops/tensors.h"

namespace {

using neutone::dsp::Planar;
using neutone::dsp::ResamplerView;
using neutone::ops::check_apart;
using neutone::ops::checked_count;
using neutone::ops::checked_plan;
using neutone::ops::checked_quality;
using neutone::ops::memory_of;
using neutone::ops::new_frames;
using neutone::ops::NewFrames;
using neutone::ops::NewResampler;
using neutone::ops::readable_frames;
using neutone::ops::resampler_in;
using neutone::ops::ScalarType;
using neutone::ops::Tensor;

// table, history and state of a resampler at the start of its stream, with the least delay.
std::tuple<Tensor, Tensor, Tensor> new_resampler(int64_t from_hz, int64_t to_hz, const std::string& quality,
                                                 int64_t n_channels) {
  constexpr const char* kOp = "new_resampler";
  STD_TORCH_CHECK(n_channels >= 1, kOp, ": n_channels must be at least 1, got ", n_channels);
  const auto kind = checked_quality(kOp, quality);
  NewResampler made =
      neutone::ops::new_resampler(checked_plan(kOp, from_hz, to_hz, kind), kind, static_cast<std::size_t>(n_channels));
  return {std::move(made.table), std::move(made.history), std::move(made.state)};
}

// Calls `use` with the view on the resampler, whichever type it computes in.
template <typename Use>
auto with_resampler(const char* op, const Tensor& table, const Tensor& history, const Tensor& state, const Use& use) {
  if (neutone::ops::has_dtype(table, ScalarType::Double)) return use(resampler_in<double>(op, table, history, state));
  return use(resampler_in<float>(op, table, history, state));
}

// Longer than any stream, and far from what overflows.
constexpr int64_t kMaxFirst = 1'000'000'000'000'000;
constexpr int64_t kMaxSilent = 1'000'000'000;

// Forgets all audio. `first` is the last input frame that the first output frame takes, in steps of 1/up frames; frame
// 0 follows `n_silent` frames that come first.
void resampler_start(int64_t first, int64_t n_silent, const Tensor& table, const Tensor& history, const Tensor& state) {
  constexpr const char* kOp = "resampler_start";
  static_cast<void>(checked_count(kOp, "n_silent", n_silent));
  STD_TORCH_CHECK(n_silent <= kMaxSilent, kOp, ": n_silent must be at most ", kMaxSilent, ", got ", n_silent);
  with_resampler(kOp, table, history, state, [first, n_silent, kOp](auto view) {
    const int64_t least = -n_silent * view.plan().up;
    STD_TORCH_CHECK(first >= least && first <= kMaxFirst, kOp, ": first must be in ", least, "..", kMaxFirst, ", got ",
                    first);
    // Its start looks for a row that only rates without a common factor are sure to have.
    STD_TORCH_CHECK(std::gcd(view.plan().up, view.plan().down) == 1, kOp,
                    ": state holds numbers that no resampler can have; make it afresh");
    view.start(first, n_silent);
  });
}

// Takes in a block, returns all output that it makes ready: (channels, any number of frames).
Tensor resample(const Tensor& audio, const Tensor& table, const Tensor& history, const Tensor& state) {
  constexpr const char* kOp = "resample";
  const Planar<const float> in = readable_frames(kOp, "audio", audio);
  return with_resampler(kOp, table, history, state, [&in, kOp](auto view) {
    STD_TORCH_CHECK(in.channels == view.channels(), kOp, ": audio must have the resampler's ", view.channels(),
                    " channels, got ", in.channels);
    check_apart(kOp, memory_of("audio", in), memory_of("history", view.history()));
    NewFrames out = new_frames(in.channels, view.ready_after(in.frames));
    view.process(in, out.frames);
    return std::move(out.tensor);
  });
}

bool is_first_copy = false;  // see define; NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

}  // namespace

STABLE_TORCH_LIBRARY_FRAGMENT(neutone, m) {
  is_first_copy = neutone::ops::define(
      m, {
             "new_resampler(int from_hz, int to_hz, str quality, int n_channels) -> (Tensor, Tensor, Tensor)",
             "resampler_start(int first, int n_silent, Tensor table, Tensor(a!) history, Tensor(b!) state) -> ()",
             "resample(Tensor audio, Tensor table, Tensor(a!) history, Tensor(b!) state) -> Tensor",
         });
}

STABLE_TORCH_LIBRARY_IMPL(neutone, CompositeExplicitAutograd, m) {
  if (!is_first_copy) return;
  m.impl("new_resampler", neutone::ops::boxed<&new_resampler>);
  m.impl("resampler_start", neutone::ops::boxed<&resampler_start>);
  m.impl("resample", neutone::ops::boxed<&resample>);
}
