// Adapts dsp::HostStreamView to tensors. A stream is one tensor, so that a callback is few arguments: what each costs
// is more than all that is done with it.
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>

#include "dsp/channels.h"
#include "dsp/host_stream.h"
#include "ops/registration.h"
#include "ops/tensors.h"

namespace {

using neutone::dsp::HostBlock;
using neutone::dsp::HostStreamHeader;
using neutone::dsp::HostStreamLayout;
using neutone::dsp::HostStreamMode;
using neutone::dsp::HostStreamSettings;
using neutone::dsp::HostStreamView;
using neutone::dsp::kCacheLineBytes;
using neutone::dsp::Planar;
using neutone::ops::are_frames;
using neutone::ops::check_apart;
using neutone::ops::check_memory;
using neutone::ops::check_tensor;
using neutone::ops::memory_of;
using neutone::ops::new_frames;
using neutone::ops::NewFrames;
using neutone::ops::readable_frames;
using neutone::ops::ScalarType;
using neutone::ops::Tensor;

// The memory of a stream, a float32 vector.
float* memory_in(const char* op, const Tensor& stream) {
  check_tensor(op, "stream", stream, 1, ScalarType::Float);
  check_memory(op, "stream", stream, kCacheLineBytes);
  return stream.mutable_data_ptr<float>();
}

bool holds_stream(const float* memory, std::size_t size) {
  return size >= sizeof(HostStreamHeader) / sizeof(float) &&
         reinterpret_cast<const HostStreamHeader*>(memory)->is_sane(size);
}

// The stream that lives in a tensor.
HostStreamView stream_in(const char* op, const Tensor& stream) {
  float* const memory = memory_in(op, stream);
  STD_TORCH_CHECK(holds_stream(memory, static_cast<std::size_t>(stream.size(0))), op,
                  ": stream holds numbers that no stream can have; make it afresh, with new_stream");
  return HostStreamView(memory);
}

// Which parameters are categorical; those without a range are not.
std::uint64_t checked_steps(const char* op, const Tensor& ranges, std::size_t n_params) {
  check_tensor(op, "param_ranges", ranges, 2, ScalarType::Float);
  check_memory(op, "param_ranges", ranges, alignof(float));
  const int64_t n_ranges = ranges.size(0);
  STD_TORCH_CHECK(ranges.size(1) == 3 && std::cmp_less_equal(n_ranges, n_params), op,
                  ": param_ranges must have 3 columns and at most ", n_params, " rows, got ", n_ranges, " by ",
                  ranges.size(1));
  std::uint64_t steps = 0;
  const auto* range = ranges.const_data_ptr<float>();
  for (int64_t row = 0; row < n_ranges; ++row, range += 3) {
    if (range[2] != 0.0F) steps |= std::uint64_t{1} << static_cast<unsigned>(row);
  }
  return steps;
}

void check_range(const char* op, const char* name, int64_t value, int64_t lowest, int64_t highest) {
  STD_TORCH_CHECK(value >= lowest && value <= highest, op, ": ", name, " must be in ", lowest, "..", highest, ", got ",
                  value);
}

// What a stream for rates in Hz consists of.
HostStreamHeader planned(const char* op, const HostStreamSettings& settings, int64_t host_hz, int64_t model_hz) {
  check_range(op, "host_hz", host_hz, 1, neutone::dsp::kMaxRateHz);
  check_range(op, "model_hz", model_hz, 1, neutone::dsp::kMaxRateHz);
  try {
    return HostStreamHeader::planned(settings, host_hz, model_hz);
  } catch (const std::invalid_argument&) {
    STD_TORCH_CHECK(false, op, ": one of host_hz and model_hz may be at most ", neutone::dsp::kMaxRateRatio,
                    " times the other, got ", host_hz, " and ", model_hz);
  }
}

// A stream that has to be started, for rates in Hz, blocks of the host of `least_frames` to `most_frames`, and blocks
// of the model of exactly `model_block`. `param_ranges` (at most n_params, 3) says which parameters are categorical,
// `default_params` (n_params, 1) what they are before the host sends any.
Tensor new_stream(int64_t host_hz, int64_t least_frames, int64_t most_frames, int64_t model_hz, int64_t model_block,
                  int64_t n_in_channels, int64_t n_out_channels, const Tensor& param_ranges,
                  const Tensor& default_params, bool mean_params) {
  constexpr const char* kOp = "new_stream";
  const Planar<const float> defaults = readable_frames(kOp, "default_params", default_params);
  STD_TORCH_CHECK(defaults.frames == 1 && std::cmp_less_equal(defaults.channels, neutone::dsp::kMaxStreamParams), kOp,
                  ": default_params must have 1 column and at most ", neutone::dsp::kMaxStreamParams, " rows, got ",
                  defaults.channels, " by ", defaults.frames);
  check_range(kOp, "most_frames", most_frames, 1, neutone::dsp::kMaxStreamFrames);
  check_range(kOp, "least_frames", least_frames, 1, most_frames);
  check_range(kOp, "model_block", model_block, 1, neutone::dsp::kMaxStreamFrames);
  check_range(kOp, "n_in_channels", n_in_channels, 1, 2);
  check_range(kOp, "n_out_channels", n_out_channels, 1, 2);
  const HostStreamSettings settings{least_frames,
                                    most_frames,
                                    model_block,
                                    n_in_channels,
                                    n_out_channels,
                                    static_cast<int64_t>(defaults.channels),
                                    checked_steps(kOp, param_ranges, defaults.channels),
                                    mean_params ? 1 : 0,
                                    {}};
  const HostStreamHeader header = planned(kOp, settings, host_hz, model_hz);
  const auto size = static_cast<int64_t>(HostStreamLayout(header).size);
  Tensor stream = neutone::ops::new_tensor(std::array{size}, ScalarType::Float);
  HostStreamView::make(header, defaults, stream.mutable_data_ptr<float>());
  return stream;
}

// The least delay, in steps of 1 / up samples of the host, of the resamplers between a host and a model.
int64_t stream_resampling_steps(int64_t host_hz, int64_t model_hz) {
  const HostStreamHeader header = planned("stream_resampling_steps", {}, host_hz, model_hz);
  return neutone::dsp::resampling_steps(header.settings.ratio, header.to_model.half_taps, header.to_host.half_taps);
}

HostStreamMode checked_mode(const char* op, const std::string& kind) {
  if (kind == "delayed") return HostStreamMode::kDelayed;
  if (kind == "undelayed") return HostStreamMode::kUndelayed;
  STD_TORCH_CHECK(kind == "direct", op, ": kind must be delayed, undelayed or direct, got ", kind);
  return HostStreamMode::kDirect;
}

// Starts from silence, with a delay of `total_delay` samples of the host, `model_delay` samples of the model its own.
void stream_start(const std::string& kind, int64_t total_delay, int64_t model_delay, const Tensor& stream) {
  constexpr const char* kOp = "stream_start";
  constexpr int64_t kMaxDelay = 1'000'000'000;
  HostStreamView view = stream_in(kOp, stream);
  const HostStreamMode how = checked_mode(kOp, kind);
  check_range(kOp, "total_delay", total_delay, 0, kMaxDelay);
  check_range(kOp, "model_delay", model_delay, 0, kMaxDelay);
  const HostStreamView::Beginning beginning = view.beginning(total_delay, model_delay);
  STD_TORCH_CHECK(view.can_start(beginning), kOp, ": total_delay ", total_delay, " and model_delay ", model_delay,
                  " are none that this stream can have");
  view.start(how, beginning);
}

// From now on it has to be started. What is no stream cannot be, and stays what it is.
void stream_stop(const Tensor& stream) {
  float* const memory = memory_in("stream_stop", stream);
  if (holds_stream(memory, static_cast<std::size_t>(stream.size(0)))) HostStreamView(memory).stop();
}

// Looks at a block of the host. Returns false, and says nothing, if it is not in order: mono or stereo, of as many
// frames as the stream takes, with a value or a curve for each parameter. What is wrong is found out by those who have
// to say it.
bool is_block(const Tensor& audio, const Tensor& params, const HostStreamSettings& settings, HostBlock& block) {
  if (!are_frames(audio, block.audio) || !are_frames(params, block.params)) return false;
  const std::size_t frames = block.audio.frames;
  const std::size_t values = block.params.frames;
  if (block.audio.channels > 2 || std::cmp_less(frames, settings.least_frames) ||
      std::cmp_greater(frames, settings.most_frames) || std::cmp_not_equal(block.params.channels, settings.n_params) ||
      (values != 1 && values != frames)) {
    return false;
  }
  if (values == 1) block.params.frame_stride = 0;
  block.params.frames = frames;
  return true;
}

// The host's output: of a delayed stream as many frames as its block had, of an undelayed one what is ready after so
// many more frames of the model. Raises if there are not as many.
NewFrames new_output(const char* op, const HostStreamView& view, std::size_t frames, std::size_t channels,
                     std::size_t more) {
  const std::size_t ready = view.ready_after(more);
  if (view.header().mode == HostStreamMode::kUndelayed) return new_frames(channels, ready);
  STD_TORCH_CHECK(frames <= ready, op, ": the host asks for ", frames, " frames, the stream holds ", ready,
                  "; start it with a longer delay");
  return new_frames(channels, frames);
}

// What stands for output that is not there: no channels.
Tensor no_output(std::size_t n_blocks) { return new_frames(0, n_blocks).tensor; }

// Takes in a block of the host, and returns what it gets. If blocks of the model have become full, the model comes
// first: (0, their number), and there has to be a stream_take and a stream_put for each. In a direct stream nothing
// waits: the block itself is returned, with the model's channels. A block that is not in order, or that comes in the
// midst of another callback, or to a stream that was not started like this, changes nothing: (0, 0). One tensor says it
// all, because torch.export takes no operator that writes to an argument and returns a number.
Tensor stream_exchange(const Tensor& audio, const Tensor& params, bool delayed, const Tensor& stream) {
  constexpr const char* kOp = "stream_exchange";
  HostStreamView view = stream_in(kOp, stream);
  const HostStreamHeader& header = view.header();
  const bool is_direct = delayed && header.mode == HostStreamMode::kDirect;
  const HostStreamMode wanted = delayed ? HostStreamMode::kDelayed : HostStreamMode::kUndelayed;
  HostBlock block;
  if ((header.mode != wanted && !is_direct) || header.is_busy != 0 ||
      !is_block(audio, params, header.settings, block)) {
    return no_output(0);
  }
  check_apart(kOp, memory_of("audio", block.audio), memory_of("stream", view.memory()));
  check_apart(kOp, memory_of("params", block.params), memory_of("stream", view.memory()));
  const std::size_t frames = block.audio.frames;
  if (is_direct) {
    NewFrames fitted = new_frames(static_cast<std::size_t>(header.settings.in_channels), frames);
    neutone::dsp::fit_channels<float>(block.audio, fitted.frames);
    return std::move(fitted.tensor);
  }
  STD_TORCH_CHECK(view.has_room(frames), kOp, ": the stream has no room for ", frames, " more frames");
  const std::size_t n_blocks = view.full_blocks(frames);
  if (n_blocks > 0) {
    Tensor output = no_output(n_blocks);
    view.push(block);
    view.set_busy(frames, block.audio.channels);
    return output;
  }
  NewFrames out = new_output(kOp, view, frames, block.audio.channels, 0);
  view.push(block);
  view.pop(out.frames);
  return std::move(out.tensor);
}

// The model's next block, as two fresh tensors: audio, and parameters, a curve or a mean for each.
std::tuple<Tensor, Tensor> stream_take(const Tensor& stream) {
  constexpr const char* kOp = "stream_take";
  HostStreamView view = stream_in(kOp, stream);
  const HostStreamSettings& settings = view.header().settings;
  STD_TORCH_CHECK(view.header().is_busy != 0 && view.has_block(), kOp, ": no block of the model is full");
  const auto frames = static_cast<std::size_t>(settings.model_block);
  NewFrames audio = new_frames(static_cast<std::size_t>(settings.in_channels), frames);
  NewFrames params = new_frames(static_cast<std::size_t>(settings.n_params), settings.takes_means != 0 ? 1 : frames);
  view.take(audio.frames, params.frames);
  return {std::move(audio.tensor), std::move(params.tensor)};
}

// Takes what the model made of a block. Returns what the host gets if that was the last, else (0, blocks still full).
Tensor stream_put(const Tensor& audio, const Tensor& stream) {
  constexpr const char* kOp = "stream_put";
  HostStreamView view = stream_in(kOp, stream);
  const HostStreamHeader& header = view.header();
  const Planar<const float> made = readable_frames(kOp, "audio", audio);
  check_apart(kOp, memory_of("audio", made), memory_of("stream", view.memory()));
  STD_TORCH_CHECK(std::cmp_equal(made.channels, header.settings.out_channels) &&
                      std::cmp_equal(made.frames, header.settings.model_block),
                  kOp, ": audio must have shape (", header.settings.out_channels, ", ", header.settings.model_block,
                  "), got (", made.channels, ", ", made.frames, ")");
  STD_TORCH_CHECK(header.is_busy != 0 && view.has_room_behind(), kOp, ": no block of the model was taken");
  if (view.full_blocks() > 0) {
    Tensor output = no_output(view.full_blocks());
    view.put(made);
    return output;
  }
  NewFrames out = new_output(kOp, view, static_cast<std::size_t>(header.host_frames),
                             static_cast<std::size_t>(header.host_channels), made.frames);
  view.put(made);
  view.pop(out.frames);
  view.set_done();
  return std::move(out.tensor);
}

constexpr const char* kNewStream =
    "new_stream(int host_hz, int least_frames, int most_frames, int model_hz, int model_block, int n_in_channels, "
    "int n_out_channels, Tensor param_ranges, Tensor default_params, bool mean_params) -> Tensor";

bool is_first_copy = false;  // see define; NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

}  // namespace

STABLE_TORCH_LIBRARY_FRAGMENT(neutone, m) {
  is_first_copy = neutone::ops::define(
      m, {
             kNewStream,
             "stream_resampling_steps(int host_hz, int model_hz) -> int",
             "stream_start(str kind, int total_delay, int model_delay, Tensor(a!) stream) -> ()",
             "stream_stop(Tensor(a!) stream) -> ()",
             "stream_exchange(Tensor audio, Tensor params, bool delayed, Tensor(a!) stream) -> Tensor",
             "stream_take(Tensor(a!) stream) -> (Tensor, Tensor)",
             "stream_put(Tensor audio, Tensor(a!) stream) -> Tensor",
         });
}

STABLE_TORCH_LIBRARY_IMPL(neutone, CompositeExplicitAutograd, m) {
  if (!is_first_copy) return;
  m.impl("new_stream", neutone::ops::boxed<&new_stream>);
  m.impl("stream_resampling_steps", neutone::ops::boxed<&stream_resampling_steps>);
  m.impl("stream_start", neutone::ops::boxed<&stream_start>);
  m.impl("stream_stop", neutone::ops::boxed<&stream_stop>);
  m.impl("stream_exchange", neutone::ops::boxed<&stream_exchange>);
  m.impl("stream_take", neutone::ops::boxed<&stream_take>);
  m.impl("stream_put", neutone::ops::boxed<&stream_put>);
}
