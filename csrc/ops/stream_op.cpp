// What a callback of the host needs, one call each. Audio waits in one ring, at the model's rate, and the parameters
// that belong to it in another, at the host's; both take in every block together.
#include <array>
#include <utility>

#include "dsp/channels.h"
#include "dsp/control_stream.h"
#include "ops/registration.h"
#include "ops/stream_tensors.h"
#include "ops/tensors.h"

namespace {

using neutone::dsp::ControlTimes;
using neutone::dsp::copy_frames;
using neutone::dsp::fit_channels;
using neutone::dsp::Planar;
using neutone::dsp::ResamplerView;
using neutone::dsp::RingView;
using neutone::ops::Block;
using neutone::ops::check_apart;
using neutone::ops::check_fit;
using neutone::ops::check_memory;
using neutone::ops::check_room;
using neutone::ops::check_tensor;
using neutone::ops::checked_block;
using neutone::ops::checked_count;
using neutone::ops::checked_frames;
using neutone::ops::is_block;
using neutone::ops::memory_of;
using neutone::ops::new_frames;
using neutone::ops::NewFrames;
using neutone::ops::pop_frames;
using neutone::ops::readable_frames;
using neutone::ops::resampler_at;
using neutone::ops::ring_in;
using neutone::ops::Rings;
using neutone::ops::rings_in;
using neutone::ops::ScalarType;
using neutone::ops::Side;
using neutone::ops::Tensor;
using neutone::ops::write_block;

// Queues a block, and the first of its parameters `n_before` times more.
void stream_write(const Tensor& audio, const Tensor& params, int64_t n_before, const Tensor& samples,
                  const Tensor& cursors, const Tensor& param_samples, const Tensor& param_cursors) {
  constexpr const char* kOp = "stream_write";
  Rings rings = rings_in(kOp, samples, cursors, param_samples, param_cursors, Side::kProducer);
  const Block block = checked_block(kOp, audio, params, rings);
  const std::size_t before = checked_count(kOp, "n_before", n_before);
  check_room(kOp, block.audio.frames, before + block.params.frames, rings);
  write_block(block, before, rings);
}

// Queues a block at the model's rate.
void stream_write_resampled(const Tensor& audio, const Tensor& params, int64_t n_before, const Tensor& table,
                            const Tensor& history, const Tensor& state, const Tensor& samples, const Tensor& cursors,
                            const Tensor& param_samples, const Tensor& param_cursors) {
  constexpr const char* kOp = "stream_write_resampled";
  Rings rings = rings_in(kOp, samples, cursors, param_samples, param_cursors, Side::kProducer);
  const Block block = checked_block(kOp, audio, params, rings);
  const std::size_t before = checked_count(kOp, "n_before", n_before);
  ResamplerView<float> resampler = resampler_at(kOp, table, history, state, rings.audio);
  check_apart(kOp, memory_of("audio", block.audio), memory_of("history", resampler.history()));
  check_room(kOp, resampler.ready_after(block.audio.frames), before + block.params.frames, rings);
  write_block(block, before, resampler, rings);
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

// Where the next frames of the model lie among the parameters' values.
ControlTimes checked_times(const char* op, int64_t up, int64_t down, int64_t part) {
  const auto is_rate = [](int64_t number) { return number >= 1 && number <= neutone::dsp::kMaxRateHz; };
  STD_TORCH_CHECK(is_rate(up) && is_rate(down), op, ": up and down must be in 1..", neutone::dsp::kMaxRateHz, ", got ",
                  up, " and ", down);
  // A whole frame in front of the first value, and the part of one.
  STD_TORCH_CHECK(part >= 0 && part < up + down, op, ": part must be in 0..", up + down - 1, ", got ", part);
  return {up, down, part};
}

// Takes the oldest `n_frames` as two fresh tensors: audio, and parameters, one column a frame or their means. The first
// frame lies `part / up` values behind the oldest, each frame `down / up` values behind the one before; the values
// before the frame behind the last are dropped. `ranges` (at most as many rows as parameters, 3) says which are
// categorical: they step, the others go on straight lines.
std::tuple<Tensor, Tensor> stream_read(const Tensor& samples, const Tensor& cursors, const Tensor& param_samples,
                                       const Tensor& param_cursors, const Tensor& ranges, int64_t n_frames, int64_t up,
                                       int64_t down, int64_t part, bool mean_params) {
  constexpr const char* kOp = "stream_read";
  Rings rings = rings_in(kOp, samples, cursors, param_samples, param_cursors, Side::kConsumer);
  const std::size_t frames = checked_count(kOp, "n_frames", n_frames);
  const ControlTimes times = checked_times(kOp, up, down, part);
  const std::array<bool, kMaxParams> are_stepped = checked_steps(kOp, ranges, rings.params.channels());
  STD_TORCH_CHECK(frames > 0, kOp, ": n_frames must be at least 1");
  const RingView<float>::Region ready = checked_frames(kOp, frames, rings.audio);
  const std::size_t passed = times.place(frames);
  const std::size_t needed =
      mean_params ? times.place(0) + times.n_averaged(frames) : std::max(passed, times.values_around(frames));
  const RingView<float>::Region values = rings.params.readable(needed);
  STD_TORCH_CHECK(values.frames() == needed, kOp, ": n_frames takes ", needed, " values of params, the ring holds ",
                  values.frames());
  const NewFrames audio = new_frames(rings.audio.channels(), frames);
  const NewFrames params = new_frames(rings.params.channels(), mean_params ? 1 : frames);
  ready.each_part(audio.frames, [](const auto& to, const auto& from) { copy_frames<float>(from, to); });
  if (mean_params) {
    average_controls(values, times, frames, params.frames);
  } else {
    carry_controls(values, times, are_stepped, params.frames);
  }
  rings.audio.consume(frames);
  rings.params.consume(passed);
  return {audio.tensor, params.tensor};
}

// Takes the oldest `n_frames` as one fresh tensor with the channels that the host wants.
Tensor stream_pop(const Tensor& samples, const Tensor& cursors, int64_t n_frames, int64_t n_channels) {
  constexpr const char* kOp = "stream_pop";
  RingView<float> ring = ring_in(kOp, samples, cursors, Side::kConsumer);
  return pop_frames(kOp, checked_count(kOp, "n_frames", n_frames), checked_count(kOp, "n_channels", n_channels), ring);
}

// The same from a ring at the model's rate, at the host's.
Tensor stream_pop_resampled(const Tensor& samples, const Tensor& cursors, const Tensor& table, const Tensor& history,
                            const Tensor& state, int64_t n_frames, int64_t n_channels) {
  constexpr const char* kOp = "stream_pop_resampled";
  RingView<float> ring = ring_in(kOp, samples, cursors, Side::kConsumer);
  ResamplerView<float> resampler = resampler_at(kOp, table, history, state, ring);
  return pop_frames(kOp, checked_count(kOp, "n_frames", n_frames), checked_count(kOp, "n_channels", n_channels),
                    resampler, ring);
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
             "is_block(Tensor audio, Tensor params, int n_params, int least_frames, int most_frames) -> bool",
             "stream_write(Tensor audio, Tensor params, int n_before, Tensor(a!) samples, Tensor(b!) cursors, "
             "Tensor(c!) param_samples, Tensor(d!) param_cursors) -> ()",
             "stream_read(Tensor samples, Tensor(a!) cursors, Tensor param_samples, Tensor(b!) param_cursors, "
             "Tensor ranges, int n_frames, int up, int down, int part, bool mean_params) -> (Tensor, Tensor)",
             "stream_write_resampled(Tensor audio, Tensor params, int n_before, Tensor table, Tensor(a!) history, "
             "Tensor(b!) state, Tensor(c!) samples, Tensor(d!) cursors, Tensor(e!) param_samples, "
             "Tensor(f!) param_cursors) -> ()",
             "stream_pop_resampled(Tensor samples, Tensor(a!) cursors, Tensor table, Tensor(b!) history, Tensor(c!) "
             "state, "
             "int n_frames, int n_channels) -> Tensor",
             "stream_pop(Tensor samples, Tensor(a!) cursors, int n_frames, int n_channels) -> Tensor",
             "fit_channels(Tensor audio, int n_channels, int first, int n_frames) -> Tensor",
         });
}

STABLE_TORCH_LIBRARY_IMPL(neutone, CompositeExplicitAutograd, m) {
  if (!is_first_copy) return;
  m.impl("is_block", TORCH_BOX(&is_block));
  m.impl("stream_write", TORCH_BOX(&stream_write));
  m.impl("stream_read", TORCH_BOX(&stream_read));
  m.impl("stream_write_resampled", TORCH_BOX(&stream_write_resampled));
  m.impl("stream_pop_resampled", TORCH_BOX(&stream_pop_resampled));
  m.impl("stream_pop", TORCH_BOX(&stream_pop));
  m.impl("fit_channels", TORCH_BOX(&fit_channels_op));
}
