// What a callback of the host needs, one call each. Audio waits in one ring, at the model's rate, and the parameters
// that belong to it in another, at the host's; both take in every block together.
#include <utility>

#include "dsp/channels.h"
#include "dsp/control_stream.h"
#include "dsp/resampled_stream.h"
#include "ops/registration.h"
#include "ops/resampler_tensors.h"
#include "ops/tensors.h"

namespace {

using neutone::dsp::can_fit_channels;
using neutone::dsp::ControlTimes;
using neutone::dsp::copy_frames;
using neutone::dsp::fit_channels;
using neutone::dsp::Planar;
using neutone::dsp::ResamplerView;
using neutone::dsp::RingView;
using neutone::dsp::write_controls;
using neutone::ops::are_frames;
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

// Whether a callback's block is in order: mono or stereo, of so many frames, with a value or a curve for each
// parameter. In one call, because every callback asks; what is wrong is found out by those who have to say it.
bool is_block(const Tensor& audio, const Tensor& params, int64_t n_params, int64_t least_frames, int64_t most_frames) {
  if (!are_frames(audio) || !are_frames(params)) return false;
  const auto audio_sizes = audio.sizes();
  const auto params_sizes = params.sizes();
  const int64_t frames = audio_sizes[1];
  return (audio_sizes[0] == 1 || audio_sizes[0] == 2) && frames >= least_frames && frames <= most_frames &&
         params_sizes[0] == n_params && (params_sizes[1] == 1 || params_sizes[1] == frames);
}

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

// The rings that a block goes into, and comes out of.
struct Rings {
  RingView<float> audio;
  RingView<float> params;
};

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

// Raises unless a ring has room for what a block brings.
RingView<float>::Region checked_room(const char* op, const char* name, std::size_t frames, RingView<float>& ring) {
  const RingView<float>::Region room = ring.reserve(frames);
  STD_TORCH_CHECK(room.frames() == frames, op, ": ", name, " brings ", frames, " frames, its ring has room for ",
                  room.frames());
  return room;
}

// Raises unless the ring holds what is asked for.
RingView<float>::Region checked_frames(const char* op, std::size_t frames, RingView<float>& ring) {
  const RingView<float>::Region ready = ring.readable(frames);
  STD_TORCH_CHECK(ready.frames() == frames, op, ": n_frames asks for ", frames, ", the ring holds ", ready.frames());
  return ready;
}

// Queues a block, and the first of its parameters `n_before` times more.
void stream_write(const Tensor& audio, const Tensor& params, int64_t n_before, const Tensor& samples,
                  const Tensor& cursors, const Tensor& param_samples, const Tensor& param_cursors) {
  constexpr const char* kOp = "stream_write";
  Rings rings = rings_in(kOp, samples, cursors, param_samples, param_cursors, Side::kProducer);
  const Block block = checked_block(kOp, audio, params, rings);
  const std::size_t before = checked_count(kOp, "n_before", n_before);
  const RingView<float>::Region room = checked_room(kOp, "audio", block.audio.frames, rings.audio);
  static_cast<void>(checked_room(kOp, "params", before + block.params.frames, rings.params));
  write_controls(block.params, before, rings.params);
  room.each_part(block.audio, fit_channels<float>);
  rings.audio.publish(block.audio.frames);
}

// Queues a block at the model's rate.
void stream_write_resampled(const Tensor& audio, const Tensor& params, int64_t n_before, const Tensor& table,
                            const Tensor& history, const Tensor& state, const Tensor& samples, const Tensor& cursors,
                            const Tensor& param_samples, const Tensor& param_cursors) {
  constexpr const char* kOp = "stream_write_resampled";
  Rings rings = rings_in(kOp, samples, cursors, param_samples, param_cursors, Side::kProducer);
  const Block block = checked_block(kOp, audio, params, rings);
  const std::size_t before = checked_count(kOp, "n_before", n_before);
  ResamplerView<float> resampler = checked_resampler(kOp, table, history, state, rings.audio);
  check_apart(kOp, memory_of("audio", block.audio), memory_of("history", resampler.history()));
  static_cast<void>(checked_room(kOp, "audio", resampler.ready_after(block.audio.frames), rings.audio));
  static_cast<void>(checked_room(kOp, "params", before + block.params.frames, rings.params));
  write_controls(block.params, before, rings.params);
  write_resampled(block.audio, resampler, rings.audio);
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
