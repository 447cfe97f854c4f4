// Adapts dsp/channels.h to tensors.
#include <utility>

#include "dsp/channels.h"
#include "ops/registration.h"
#include "ops/tensors.h"

namespace {

using neutone::dsp::Planar;
using neutone::ops::checked_count;
using neutone::ops::NewFrames;
using neutone::ops::Tensor;

// Copies `n_frames` of `audio` from frame `first` on into a fresh tensor of `n_channels`.
Tensor fit_channels(const Tensor& audio, int64_t n_channels, int64_t first, int64_t n_frames) {
  constexpr const char* kOp = "fit_channels";
  const Planar<const float> in = neutone::ops::readable_frames(kOp, "audio", audio);
  const std::size_t channels = checked_count(kOp, "n_channels", n_channels);
  const std::size_t start = checked_count(kOp, "first", first);
  const std::size_t frames = checked_count(kOp, "n_frames", n_frames);
  STD_TORCH_CHECK(neutone::dsp::can_fit_channels(in.channels, channels), kOp, ": audio has ", in.channels,
                  " channels, which cannot become ", channels,
                  "; mono and stereo fit each other, anything else only itself");
  STD_TORCH_CHECK(start <= in.frames && frames <= in.frames - start, kOp, ": first ", start, " and n_frames ", frames,
                  " reach past the ", in.frames, " frames of audio");
  NewFrames out = neutone::ops::new_frames(channels, frames);
  neutone::dsp::fit_channels<float>(in.slice_frames(start, frames), out.frames);
  return std::move(out.tensor);
}

bool is_first_copy = false;  // see define; NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

}  // namespace

STABLE_TORCH_LIBRARY_FRAGMENT(neutone, m) {
  is_first_copy =
      neutone::ops::define(m, {"fit_channels(Tensor audio, int n_channels, int first, int n_frames) -> Tensor"});
}

STABLE_TORCH_LIBRARY_IMPL(neutone, CompositeExplicitAutograd, m) {
  if (!is_first_copy) return;
  m.impl("fit_channels", neutone::ops::boxed<&fit_channels>);
}
