// What a callback of the host needs, one call each: audio and the parameters that belong to it travel through one ring,
// as channels of the same frames, so nothing can pull them apart.
#include "dsp/channels.h"
#include "ops/tensors.h"

namespace {

using neutone::dsp::can_fit_channels;
using neutone::dsp::copy_frames;
using neutone::dsp::fit_channels;
using neutone::dsp::Planar;
using neutone::dsp::RingView;
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
  STD_TORCH_CHECK(curve.frames == in.frames || curve.frames == 1, kOp, ": params must have 1 column or the ", in.frames,
                  " of audio, got ", curve.frames);
  if (curve.frames == 1) curve.frame_stride = 0;
  curve.frames = in.frames;

  const RingView<float>::Region room = ring.reserve(in.frames);
  STD_TORCH_CHECK(room.frames() == in.frames, kOp, ": audio brings ", in.frames, " frames, the ring has room for ",
                  room.frames());
  const RingView<float>::Region audio_room = room.slice_channels(0, n_channels);
  fit_channels<float>(in, audio_room.head);
  fit_channels<float>(in.slice_frames(room.head.frames, room.tail.frames), audio_room.tail);
  const RingView<float>::Region params_room = room.slice_channels(n_channels, curve.channels);
  copy_frames<float>(curve, params_room.head);
  copy_frames<float>(curve.slice_frames(room.head.frames, room.tail.frames), params_room.tail);
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
  const auto take = [&](std::size_t first, std::size_t count, const Planar<float>& out) {
    const RingView<float>::Region part = ready.slice_channels(first, count);
    copy_frames<float>(part.head, out.slice_frames(0, part.head.frames));
    copy_frames<float>(part.tail, out.slice_frames(part.head.frames, part.tail.frames));
  };
  take(0, audio_channels, audio.frames);
  take(audio_channels, params_channels, params.frames);
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
  fit_channels<float>(ready.head, out.frames.slice_frames(0, ready.head.frames));
  fit_channels<float>(ready.tail, out.frames.slice_frames(ready.head.frames, ready.tail.frames));
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

}  // namespace

STABLE_TORCH_LIBRARY_FRAGMENT(neutone, m) {
  m.def("stream_write(Tensor audio, Tensor params, Tensor(a!) samples, Tensor(b!) cursors) -> ()");
  m.def("stream_read(Tensor samples, Tensor(a!) cursors, int n_frames, int n_params) -> (Tensor, Tensor)");
  m.def("stream_pop(Tensor samples, Tensor(a!) cursors, int n_frames, int n_channels) -> Tensor");
  m.def("fit_channels(Tensor audio, int n_channels, int first, int n_frames) -> Tensor");
}

STABLE_TORCH_LIBRARY_IMPL(neutone, CompositeExplicitAutograd, m) {
  m.impl("stream_write", TORCH_BOX(&stream_write));
  m.impl("stream_read", TORCH_BOX(&stream_read));
  m.impl("stream_pop", TORCH_BOX(&stream_pop));
  m.impl("fit_channels", TORCH_BOX(&fit_channels_op));
}
