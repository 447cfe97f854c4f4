// What a callback of the host needs, one call each: audio and the parameters that belong to it travel through one ring,
// as channels of the same frames, so nothing can pull them apart.
#include "dsp/channels.h"
#include "ops/registration.h"
#include "ops/tensors.h"

namespace {

using neutone::dsp::can_fit_channels;
using neutone::dsp::copy_frames;
using neutone::dsp::fit_channels;
using neutone::dsp::Planar;
using neutone::dsp::RingView;
using neutone::ops::check_apart;
using neutone::ops::checked_count;
using neutone::ops::new_frames;
using neutone::ops::NewFrames;
using neutone::ops::readable_frames;
using neutone::ops::ring_in;
using neutone::ops::Side;
using neutone::ops::Tensor;

void check_fit(const char* op, std::size_t in, std::size_t out) {
  STD_TORCH_CHECK(can_fit_channels(in, out), op, ": audio has ", in, " channels, which cannot become ", out,
                  "; mono and stereo fit each other, anything else only itself");
}

// Queues a block: the last channels of the ring, as many as `params` has rows, carry the parameters, as a curve over
// the block or one value that stands for it.
void stream_write(const Tensor& audio, const Tensor& params, const Tensor& samples, const Tensor& cursors) {
  constexpr const char* kOp = "stream_write";
  const Planar<const float> in = readable_frames(kOp, "audio", audio);
  Planar<const float> curve = readable_frames(kOp, "params", params);
  RingView<float> ring = ring_in(kOp, samples, cursors, Side::kProducer);
  STD_TORCH_CHECK(curve.channels < ring.channels(), kOp, ": params must have fewer rows than the ring's ",
                  ring.channels(), " channels, got ", curve.channels);
  const std::size_t n_channels = ring.channels() - curve.channels;
  check_fit(kOp, in.channels, n_channels);
  check_apart(kOp, "audio", in, ring);
  check_apart(kOp, "params", curve, ring);
  STD_TORCH_CHECK(curve.frames == in.frames || curve.frames == 1, kOp, ": params must have 1 column or the ", in.frames,
                  " of audio, got ", curve.frames);
  if (curve.frames == 1) curve.frame_stride = 0;
  curve.frames = in.frames;

  const RingView<float>::Region room = ring.reserve(in.frames);
  STD_TORCH_CHECK(room.frames() == in.frames, kOp, ": audio brings ", in.frames, " frames, the ring has room for ",
                  room.frames());
  room.slice_channels(0, n_channels).each_part(in, fit_channels<float>);
  room.slice_channels(n_channels, curve.channels).each_part(curve, copy_frames<float>);
  ring.publish(in.frames);
}

// Takes the oldest `n_frames` as two fresh tensors: audio, and the last `n_params` channels.
std::tuple<Tensor, Tensor> stream_read(const Tensor& samples, const Tensor& cursors, int64_t n_frames,
                                       int64_t n_params) {
  constexpr const char* kOp = "stream_read";
  RingView<float> ring = ring_in(kOp, samples, cursors, Side::kConsumer);
  const std::size_t frames = checked_count(kOp, "n_frames", n_frames);
  const std::size_t params_channels = checked_count(kOp, "n_params", n_params);
  STD_TORCH_CHECK(params_channels < ring.channels(), kOp, ": n_params must be below the ring's ", ring.channels(),
                  " channels, got ", n_params);
  const RingView<float>::Region ready = ring.readable(frames);
  STD_TORCH_CHECK(ready.frames() == frames, kOp, ": n_frames asks for ", frames, ", the ring holds ", ready.frames());

  const std::size_t audio_channels = ring.channels() - params_channels;
  const NewFrames audio = new_frames(audio_channels, frames);
  const NewFrames params = new_frames(params_channels, frames);
  const auto take = [](const Planar<float>& to, const Planar<float>& part) { copy_frames<float>(part, to); };
  ready.slice_channels(0, audio_channels).each_part(audio.frames, take);
  ready.slice_channels(audio_channels, params_channels).each_part(params.frames, take);
  ring.consume(frames);
  return {audio.tensor, params.tensor};
}

// Takes the oldest `n_frames` as one fresh tensor with the channels that the host wants.
Tensor stream_pop(const Tensor& samples, const Tensor& cursors, int64_t n_frames, int64_t n_channels) {
  constexpr const char* kOp = "stream_pop";
  RingView<float> ring = ring_in(kOp, samples, cursors, Side::kConsumer);
  const std::size_t frames = checked_count(kOp, "n_frames", n_frames);
  const std::size_t channels = checked_count(kOp, "n_channels", n_channels);
  check_fit(kOp, ring.channels(), channels);
  const RingView<float>::Region ready = ring.readable(frames);
  STD_TORCH_CHECK(ready.frames() == frames, kOp, ": n_frames asks for ", frames, ", the ring holds ", ready.frames());
  NewFrames out = new_frames(channels, frames);
  ready.each_part(out.frames,
                  [](const Planar<float>& to, const Planar<float>& part) { fit_channels<float>(part, to); });
  ring.consume(frames);
  return std::move(out.tensor);
}

// Copies `n_frames` of `audio` from frame `first` on into a fresh tensor of `n_channels`.
Tensor fit_channels_op(const Tensor& audio, int64_t n_channels, int64_t first, int64_t n_frames) {
  constexpr const char* kOp = "fit_channels";
  const Planar<const float> in = readable_frames(kOp, "audio", audio);
  const std::size_t channels = checked_count(kOp, "n_channels", n_channels);
  const std::size_t start = checked_count(kOp, "first", first);
  const std::size_t frames = checked_count(kOp, "n_frames", n_frames);
  check_fit(kOp, in.channels, channels);
  STD_TORCH_CHECK(start <= in.frames && frames <= in.frames - start, kOp, ": first ", start, " and n_frames ", frames,
                  " reach past the ", in.frames, " frames of audio");
  NewFrames out = new_frames(channels, frames);
  fit_channels<float>(in.slice_frames(start, frames), out.frames);
  return std::move(out.tensor);
}

bool is_first_copy = false;  // see define

}  // namespace

STABLE_TORCH_LIBRARY_FRAGMENT(neutone, m) {
  is_first_copy = neutone::ops::define(
      m, {
             "stream_write(Tensor audio, Tensor params, Tensor(a!) samples, Tensor(b!) cursors) -> ()",
             "stream_read(Tensor samples, Tensor(a!) cursors, int n_frames, int n_params) -> (Tensor, Tensor)",
             "stream_pop(Tensor samples, Tensor(a!) cursors, int n_frames, int n_channels) -> Tensor",
             "fit_channels(Tensor audio, int n_channels, int first, int n_frames) -> Tensor",
         });
}

STABLE_TORCH_LIBRARY_IMPL(neutone, CompositeExplicitAutograd, m) {
  if (!is_first_copy) return;
  m.impl("stream_write", TORCH_BOX(&stream_write));
  m.impl("stream_read", TORCH_BOX(&stream_read));
  m.impl("stream_pop", TORCH_BOX(&stream_pop));
  m.impl("fit_channels", TORCH_BOX(&fit_channels_op));
}
