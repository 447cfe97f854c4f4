// What a callback of the host needs, one call each: audio and the parameters that belong to it travel through one ring,
// as channels of the same frames, so nothing can pull them apart.
#include <utility>

#include "dsp/channels.h"
#include "dsp/parameters.h"
#include "dsp/resampled_stream.h"
#include "ops/registration.h"
#include "ops/resampler_tensors.h"
#include "ops/tensors.h"

namespace {

using neutone::dsp::can_fit_channels;
using neutone::dsp::copy_frames;
using neutone::dsp::CurveMean;
using neutone::dsp::fit_channels;
using neutone::dsp::Planar;
using neutone::dsp::ResamplerView;
using neutone::dsp::RingView;
using neutone::ops::check_apart;
using neutone::ops::check_memory;
using neutone::ops::check_tensor;
using neutone::ops::checked_count;
using neutone::ops::memory_of;
using neutone::ops::new_frames;
using neutone::ops::NewFrames;
using neutone::ops::readable_frames;
using neutone::ops::resampler_in;
using neutone::ops::ring_in;
using neutone::ops::ScalarType;
using neutone::ops::Side;
using neutone::ops::Tensor;

void check_fit(const char* op, std::size_t in, std::size_t out) {
  STD_TORCH_CHECK(can_fit_channels(in, out), op, ": audio has ", in, " channels, which cannot become ", out,
                  "; mono and stereo fit each other, anything else only itself");
}

constexpr std::size_t kMaxParams = 64;

// Which parameters are categorical; those without a range are not.
std::array<bool, kMaxParams> checked_steps(const char* op, const Tensor& ranges, std::size_t n_params) {
  check_tensor(op, "ranges", ranges, 2, ScalarType::Float);
  check_memory(op, "ranges", ranges, alignof(float));
  STD_TORCH_CHECK(n_params <= kMaxParams, op, ": params must have at most ", kMaxParams, " rows, got ", n_params);
  STD_TORCH_CHECK(ranges.size(1) == 3 && std::cmp_less_equal(ranges.size(0), n_params), op,
                  ": ranges must have 3 columns and at most ", n_params, " rows, got ", ranges.size(0), " by ",
                  ranges.size(1));
  std::array<bool, kMaxParams> is_stepped{};
  const float* const values = ranges.const_data_ptr<float>();
  for (int64_t row = 0; row < ranges.size(0); ++row) {
    is_stepped[static_cast<std::size_t>(row)] = values[3 * row + 2] != 0.0F;
  }
  return is_stepped;
}

ResamplerView<float> checked_resampler(const char* op, const Tensor& table, const Tensor& history, const Tensor& state,
                                       const RingView<float>& ring) {
  const ResamplerView<float> resampler = resampler_in<float>(op, table, history, state);
  STD_TORCH_CHECK(resampler.channels() == ring.channels(), op, ": history must have the ring's ", ring.channels(),
                  " channels, got ", resampler.channels());
  STD_TORCH_CHECK(!resampler.plan().is_wire(), op, ": table is one for equal rates; there is nothing to resample");
  return resampler;
}

// A block of the host as the stream takes it: parameters as a curve over the block, also where one value stands for it.
struct Block {
  Planar<const float> audio;
  Planar<const float> params;
};

// The last channels of a ring, as many as `params` has rows, carry the parameters.
Block checked_block(const char* op, const Tensor& audio, const Tensor& params, const RingView<float>& ring) {
  Block block{readable_frames(op, "audio", audio), readable_frames(op, "params", params)};
  const std::size_t frames = block.audio.frames;
  STD_TORCH_CHECK(block.params.channels < ring.channels(), op, ": params must have fewer rows than the ring's ",
                  ring.channels(), " channels, got ", block.params.channels);
  check_fit(op, block.audio.channels, ring.channels() - block.params.channels);
  check_apart(op, memory_of("audio", block.audio), memory_of("samples", ring.storage()));
  check_apart(op, memory_of("params", block.params), memory_of("samples", ring.storage()));
  STD_TORCH_CHECK(block.params.frames == frames || block.params.frames == 1, op, ": params must have 1 column or the ",
                  frames, " of audio, got ", block.params.frames);
  if (block.params.frames == 1) block.params.frame_stride = 0;
  block.params.frames = frames;
  return block;
}

// Raises unless the ring has room for what a block brings.
RingView<float>::Region checked_room(const char* op, std::size_t frames, RingView<float>& ring) {
  const RingView<float>::Region room = ring.reserve(frames);
  STD_TORCH_CHECK(room.frames() == frames, op, ": audio brings ", frames, " frames, the ring has room for ",
                  room.frames());
  return room;
}

// Raises unless the ring holds what is asked for.
RingView<float>::Region checked_frames(const char* op, std::size_t frames, RingView<float>& ring) {
  const RingView<float>::Region ready = ring.readable(frames);
  STD_TORCH_CHECK(ready.frames() == frames, op, ": n_frames asks for ", frames, ", the ring holds ", ready.frames());
  return ready;
}

// Queues a block.
void stream_write(const Tensor& audio, const Tensor& params, const Tensor& samples, const Tensor& cursors) {
  constexpr const char* kOp = "stream_write";
  RingView<float> ring = ring_in(kOp, samples, cursors, Side::kProducer);
  const Block block = checked_block(kOp, audio, params, ring);
  const RingView<float>::Region room = checked_room(kOp, block.audio.frames, ring);
  const std::size_t n_audio = ring.channels() - block.params.channels;
  room.slice_channels(0, n_audio).each_part(block.audio, fit_channels<float>);
  room.slice_channels(n_audio, block.params.channels).each_part(block.params, copy_frames<float>);
  ring.publish(block.audio.frames);
}

// Queues a block at the model's rate. `ranges` (at most as many rows as params, 3) says which parameters are
// categorical: they step, the others go on straight lines.
void stream_write_resampled(const Tensor& audio, const Tensor& params, const Tensor& ranges, const Tensor& table,
                            const Tensor& history, const Tensor& state, const Tensor& samples, const Tensor& cursors) {
  constexpr const char* kOp = "stream_write_resampled";
  RingView<float> ring = ring_in(kOp, samples, cursors, Side::kProducer);
  const Block block = checked_block(kOp, audio, params, ring);
  const std::array<bool, kMaxParams> is_stepped = checked_steps(kOp, ranges, block.params.channels);
  ResamplerView<float> resampler = checked_resampler(kOp, table, history, state, ring);
  check_apart(kOp, memory_of("audio", block.audio), memory_of("history", resampler.history()));
  check_apart(kOp, memory_of("params", block.params), memory_of("history", resampler.history()));
  static_cast<void>(checked_room(kOp, resampler.ready_after(block.audio.frames), ring));
  write_resampled(block.audio, block.params, is_stepped, resampler, ring);
}

// Takes the oldest `n_frames` as two fresh tensors: audio, and the last `n_params` channels, or the mean of each.
std::tuple<Tensor, Tensor> stream_read(const Tensor& samples, const Tensor& cursors, int64_t n_frames, int64_t n_params,
                                       bool mean_params) {
  constexpr const char* kOp = "stream_read";
  RingView<float> ring = ring_in(kOp, samples, cursors, Side::kConsumer);
  const std::size_t frames = checked_count(kOp, "n_frames", n_frames);
  const std::size_t params_channels = checked_count(kOp, "n_params", n_params);
  STD_TORCH_CHECK(params_channels < ring.channels(), kOp, ": n_params must be below the ring's ", ring.channels(),
                  " channels, got ", n_params);
  STD_TORCH_CHECK(frames > 0 || !mean_params, kOp, ": n_frames must be at least 1 for a mean");
  const RingView<float>::Region ready = checked_frames(kOp, frames, ring);
  const std::size_t audio_channels = ring.channels() - params_channels;
  const NewFrames audio = new_frames(audio_channels, frames);
  const NewFrames params = new_frames(params_channels, mean_params ? 1 : frames);
  const auto take = [](const Planar<float>& to, const Planar<float>& part) { copy_frames<float>(part, to); };
  ready.slice_channels(0, audio_channels).each_part(audio.frames, take);
  if (mean_params) {
    for (std::size_t param = 0; param < params_channels; ++param) {
      CurveMean curve;
      for (const Planar<float>& part : {ready.head, ready.tail}) {
        curve.add(part.row(audio_channels + param), 1, part.frames);
      }
      *params.frames.row(param) = curve.mean();
    }
  } else {
    ready.slice_channels(audio_channels, params_channels).each_part(params.frames, take);
  }
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
  const RingView<float>::Region ready = checked_frames(kOp, frames, ring);
  NewFrames out = new_frames(channels, frames);
  ready.each_part(out.frames,
                  [](const Planar<float>& to, const Planar<float>& part) { fit_channels<float>(part, to); });
  ring.consume(frames);
  return std::move(out.tensor);
}

// The same from a ring at the model's rate, at the host's.
Tensor stream_pop_resampled(const Tensor& samples, const Tensor& cursors, const Tensor& table, const Tensor& history,
                            const Tensor& state, int64_t n_frames, int64_t n_channels) {
  constexpr const char* kOp = "stream_pop_resampled";
  RingView<float> ring = ring_in(kOp, samples, cursors, Side::kConsumer);
  const std::size_t frames = checked_count(kOp, "n_frames", n_frames);
  const std::size_t channels = checked_count(kOp, "n_channels", n_channels);
  check_fit(kOp, ring.channels(), channels);
  ResamplerView<float> resampler = checked_resampler(kOp, table, history, state, ring);
  static_cast<void>(checked_frames(kOp, resampler.missing(frames), ring));
  NewFrames out = new_frames(ring.channels(), frames);
  read_resampled(ring, resampler, out.frames);
  if (channels == ring.channels()) return std::move(out.tensor);
  NewFrames fitted = new_frames(channels, frames);
  fit_channels<float>(out.frames, fitted.frames);
  return std::move(fitted.tensor);
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

bool is_first_copy = false;  // see define; NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

}  // namespace

STABLE_TORCH_LIBRARY_FRAGMENT(neutone, m) {
  is_first_copy = neutone::ops::define(
      m, {
             "stream_write(Tensor audio, Tensor params, Tensor(a!) samples, Tensor(b!) cursors) -> ()",
             "stream_read(Tensor samples, Tensor(a!) cursors, int n_frames, int n_params, bool mean_params) -> "
             "(Tensor, Tensor)",
             "stream_write_resampled(Tensor audio, Tensor params, Tensor ranges, Tensor table, Tensor(a!) history, "
             "Tensor(b!) state, Tensor(c!) samples, Tensor(d!) cursors) -> ()",
             "stream_pop_resampled(Tensor samples, Tensor(a!) cursors, Tensor table, Tensor(b!) history, Tensor(c!) "
             "state, "
             "int n_frames, int n_channels) -> Tensor",
             "stream_pop(Tensor samples, Tensor(a!) cursors, int n_frames, int n_channels) -> Tensor",
             "fit_channels(Tensor audio, int n_channels, int first, int n_frames) -> Tensor",
         });
}

STABLE_TORCH_LIBRARY_IMPL(neutone, CompositeExplicitAutograd, m) {
  if (!is_first_copy) return;
  m.impl("stream_write", TORCH_BOX(&stream_write));
  m.impl("stream_read", TORCH_BOX(&stream_read));
  m.impl("stream_write_resampled", TORCH_BOX(&stream_write_resampled));
  m.impl("stream_pop_resampled", TORCH_BOX(&stream_pop_resampled));
  m.impl("stream_pop", TORCH_BOX(&stream_pop));
  m.impl("fit_channels", TORCH_BOX(&fit_channels_op));
}
