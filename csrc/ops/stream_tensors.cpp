#include "ops/stream_tensors.h"

#include <utility>

#include "dsp/channels.h"
#include "dsp/parameters.h"
#include "dsp/resampled_stream.h"
#include "ops/resampler_tensors.h"

namespace neutone::ops {

using dsp::can_fit_channels;
using dsp::fit_channels;
using dsp::Planar;
using dsp::ResamplerView;
using dsp::RingView;

namespace {

// Queues parameters for which there is room, cleaned: `n_before` times the first of each, then all.
void write_params(const Block& block, std::size_t n_before, RingView<float>& ring) {
  const std::size_t frames = n_before + block.params.frames;
  const RingView<float>::Region room = ring.reserve(frames);
  const Planar<const float> last = ring.last_written();
  for (std::size_t param = 0; param < ring.channels(); ++param) {
    float before = *last.row(param);
    const float* const values = block.params.row(param);
    const auto write = [&](const RingView<float>::Region& to, const float* from, std::ptrdiff_t stride) {
      for (const Planar<float>& part : {to.head, to.tail}) {
        before = dsp::copy_cleaned(from, stride, part.row(param), part.frames, before);
        from += static_cast<std::ptrdiff_t>(part.frames) * stride;
      }
    };
    if (block.params.frames > 0) write(room.slice_frames(0, n_before), values, 0);
    write(room.slice_frames(n_before, block.params.frames), values, block.params.frame_stride);
  }
  ring.publish(frames);
}

// Raises unless a ring has room for what a block brings.
void check_ring(const char* op, const char* name, std::size_t frames, RingView<float>& ring) {
  const std::size_t room = ring.reserve(frames).frames();
  STD_TORCH_CHECK(room == frames, op, ": ", name, " brings ", frames, " frames, its ring has room for ", room);
}

}  // namespace

void check_fit(const char* op, std::size_t in, std::size_t out) {
  STD_TORCH_CHECK(can_fit_channels(in, out), op, ": audio has ", in, " channels, which cannot become ", out,
                  "; mono and stereo fit each other, anything else only itself");
}

bool is_block(const Tensor& audio, const Tensor& params, int64_t n_params, int64_t least_frames, int64_t most_frames) {
  if (!are_frames(audio) || !are_frames(params)) return false;
  const auto audio_sizes = audio.sizes();
  const auto params_sizes = params.sizes();
  const int64_t frames = audio_sizes[1];
  return (audio_sizes[0] == 1 || audio_sizes[0] == 2) && frames >= least_frames && frames <= most_frames &&
         params_sizes[0] == n_params && (params_sizes[1] == 1 || params_sizes[1] == frames);
}

dsp::ResamplerView<float> resampler_at(const char* op, const Tensor& table, const Tensor& history, const Tensor& state,
                                       const RingView<float>& ring) {
  const ResamplerView<float> resampler = resampler_in<float>(op, table, history, state);
  STD_TORCH_CHECK(resampler.channels() == ring.channels(), op, ": history must have the ring's ", ring.channels(),
                  " channels, got ", resampler.channels());
  STD_TORCH_CHECK(!resampler.plan().is_wire(), op, ": table is one for equal rates; there is nothing to resample");
  return resampler;
}

Rings rings_in(const char* op, const Tensor& samples, const Tensor& cursors, const Tensor& param_samples,
               const Tensor& param_cursors, Side side) {
  return {ring_in(op, samples, cursors, side),
          ring_in(op, param_samples, param_cursors, side, "param_samples", "param_cursors")};
}

Block checked_block(const char* op, const Tensor& audio, const Tensor& params, const Rings& rings) {
  Block block{readable_frames(op, "audio", audio), readable_frames(op, "params", params)};
  const std::size_t frames = block.audio.frames;
  check_fit(op, block.audio.channels, rings.audio.channels());
  STD_TORCH_CHECK(block.params.channels == rings.params.channels(), op, ": params must have the ",
                  rings.params.channels(), " rows of its ring, got ", block.params.channels);
  check_apart(op, memory_of("audio", block.audio), memory_of("samples", rings.audio.storage()));
  check_apart(op, memory_of("params", block.params), memory_of("param_samples", rings.params.storage()));
  STD_TORCH_CHECK(block.params.frames == frames || block.params.frames == 1, op, ": params must have 1 column or the ",
                  frames, " of audio, got ", block.params.frames);
  if (block.params.frames == 1) block.params.frame_stride = 0;
  block.params.frames = frames;
  return block;
}

void check_room(const char* op, std::size_t audio_frames, std::size_t frames, Rings& rings) {
  check_ring(op, "audio", audio_frames, rings.audio);
  check_ring(op, "params", frames, rings.params);
}

void write_block(const Block& block, std::size_t n_before, Rings& rings) {
  write_params(block, n_before, rings.params);
  rings.audio.reserve(block.audio.frames).each_part(block.audio, fit_channels<float>);
  rings.audio.publish(block.audio.frames);
}

void write_block(const Block& block, std::size_t n_before, ResamplerView<float>& resampler, Rings& rings) {
  write_params(block, n_before, rings.params);
  dsp::write_resampled(block.audio, resampler, rings.audio);
}

RingView<float>::Region checked_frames(const char* op, std::size_t frames, RingView<float>& ring) {
  const RingView<float>::Region ready = ring.readable(frames);
  STD_TORCH_CHECK(ready.frames() == frames, op, ": n_frames asks for ", frames, ", the ring holds ", ready.frames());
  return ready;
}

Tensor pop_frames(const char* op, std::size_t frames, std::size_t channels, RingView<float>& ring) {
  check_fit(op, ring.channels(), channels);
  const RingView<float>::Region ready = checked_frames(op, frames, ring);
  NewFrames out = new_frames(channels, frames);
  ready.each_part(out.frames,
                  [](const Planar<float>& to, const Planar<float>& part) { fit_channels<float>(part, to); });
  ring.consume(frames);
  return std::move(out.tensor);
}

Tensor pop_frames(const char* op, std::size_t frames, std::size_t channels, ResamplerView<float>& resampler,
                  RingView<float>& ring) {
  check_fit(op, ring.channels(), channels);
  static_cast<void>(checked_frames(op, resampler.missing(frames), ring));
  NewFrames out = new_frames(ring.channels(), frames);
  if (channels == ring.channels()) {
    dsp::read_resampled(ring, resampler, out.frames);
    return std::move(out.tensor);
  }
  NewFrames fitted = new_frames(channels, frames);  // before anything changes
  dsp::read_resampled(ring, resampler, out.frames);
  fit_channels<float>(out.frames, fitted.frames);
  return std::move(fitted.tensor);
}

}  // namespace neutone::ops
