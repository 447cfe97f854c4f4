// A callback in which the model has nothing to do, in one call: queues the host's block, and takes as many frames.
#include <algorithm>
#include <cstddef>
#include <utility>

#include "ops/registration.h"
#include "ops/stream_tensors.h"
#include "ops/tensors.h"

namespace {

using neutone::dsp::ResamplerView;
using neutone::dsp::RingView;
using neutone::ops::Block;
using neutone::ops::check_apart;
using neutone::ops::check_room;
using neutone::ops::checked_block;
using neutone::ops::is_block;
using neutone::ops::memory_of;
using neutone::ops::pop_frames;
using neutone::ops::resampler_at;
using neutone::ops::ring_in;
using neutone::ops::Rings;
using neutone::ops::rings_in;
using neutone::ops::Side;
using neutone::ops::Tensor;
using neutone::ops::write_block;

// What stands for output where the block is not in order.
Tensor nothing() { return neutone::ops::new_frames(0, 0).tensor; }

// Queues a block as stream_write does, and returns as many frames as stream_pop does, with the host's channels. A block
// that is not in order, as is_block judges it, changes nothing, and what is returned has no frames.
Tensor stream_exchange(const Tensor& audio, const Tensor& params, int64_t least_frames, int64_t most_frames,
                       const Tensor& samples, const Tensor& cursors, const Tensor& param_samples,
                       const Tensor& param_cursors, const Tensor& out_samples, const Tensor& out_cursors) {
  constexpr const char* kOp = "stream_exchange";
  Rings rings = rings_in(kOp, samples, cursors, param_samples, param_cursors, Side::kProducer);
  RingView<float> output = ring_in(kOp, out_samples, out_cursors, Side::kConsumer, "out_samples", "out_cursors");
  const auto n_params = static_cast<int64_t>(rings.params.channels());
  if (!is_block(audio, params, n_params, std::max<int64_t>(least_frames, 1), most_frames)) return nothing();
  const Block block = checked_block(kOp, audio, params, rings);
  check_room(kOp, block.audio.frames, block.params.frames, rings);
  Tensor out = pop_frames(kOp, block.audio.frames, block.audio.channels, output);
  write_block(block, 0, rings);
  return out;
}

// The same with a resampler at the host's end of both rings.
Tensor stream_exchange_resampled(const Tensor& audio, const Tensor& params, int64_t least_frames, int64_t most_frames,
                                 const Tensor& table, const Tensor& history, const Tensor& state, const Tensor& samples,
                                 const Tensor& cursors, const Tensor& param_samples, const Tensor& param_cursors,
                                 const Tensor& out_table, const Tensor& out_history, const Tensor& out_state,
                                 const Tensor& out_samples, const Tensor& out_cursors) {
  constexpr const char* kOp = "stream_exchange_resampled";
  constexpr const char* kOut = "stream_exchange_resampled: to the host";
  Rings rings = rings_in(kOp, samples, cursors, param_samples, param_cursors, Side::kProducer);
  RingView<float> output = ring_in(kOp, out_samples, out_cursors, Side::kConsumer, "out_samples", "out_cursors");
  ResamplerView<float> to_model = resampler_at(kOp, table, history, state, rings.audio);
  ResamplerView<float> to_host = resampler_at(kOut, out_table, out_history, out_state, output);
  const auto n_params = static_cast<int64_t>(rings.params.channels());
  if (!is_block(audio, params, n_params, std::max<int64_t>(least_frames, 1), most_frames)) return nothing();
  const Block block = checked_block(kOp, audio, params, rings);
  check_apart(kOp, memory_of("audio", block.audio), memory_of("history", to_model.history()));
  check_room(kOp, to_model.ready_after(block.audio.frames), block.params.frames, rings);
  Tensor out = pop_frames(kOp, block.audio.frames, block.audio.channels, to_host, output);
  write_block(block, 0, to_model, rings);
  return out;
}

bool is_first_copy = false;  // see define; NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

}  // namespace

STABLE_TORCH_LIBRARY_FRAGMENT(neutone, m) {
  is_first_copy = neutone::ops::define(
      m, {
             "stream_exchange(Tensor audio, Tensor params, int least_frames, int most_frames, Tensor(a!) samples, "
             "Tensor(b!) cursors, Tensor(c!) param_samples, Tensor(d!) param_cursors, Tensor out_samples, "
             "Tensor(e!) out_cursors) -> Tensor",
             "stream_exchange_resampled(Tensor audio, Tensor params, int least_frames, int most_frames, Tensor table, "
             "Tensor(a!) history, Tensor(b!) state, Tensor(c!) samples, Tensor(d!) cursors, Tensor(e!) param_samples, "
             "Tensor(f!) param_cursors, Tensor out_table, Tensor(g!) out_history, Tensor(h!) out_state, "
             "Tensor out_samples, Tensor(i!) out_cursors) -> Tensor",
         });
}

STABLE_TORCH_LIBRARY_IMPL(neutone, CompositeExplicitAutograd, m) {
  if (!is_first_copy) return;
  m.impl("stream_exchange", TORCH_BOX(&stream_exchange));
  m.impl("stream_exchange_resampled", TORCH_BOX(&stream_exchange_resampled));
}
