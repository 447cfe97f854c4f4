#include "host_stream.h"

#include <algorithm>
#include <array>
#include <new>
#include <numeric>

#include "channels.h"
#include "control_stream.h"
#include "resampled_stream.h"

namespace neutone::dsp {
namespace {

// Longer than any stream, and far from what overflows.
constexpr std::int64_t kMaxFirstStep = 1'000'000'000'000'000;

// NOLINTNEXTLINE(bugprone-exception-escape): what the ring would throw at, no sane header has
RingView<float> ring_at(float* samples, std::int64_t channels, std::int64_t capacity, RingCursors& cursors) noexcept {
  return {{samples, static_cast<std::size_t>(channels), static_cast<std::size_t>(capacity), ring_row(capacity), 1},
          cursors};
}

ResamplerView<float> resampler_at(const ResamplerPlan& plan, const float* table, float* history, std::int64_t channels,
                                  std::int64_t frames, ResamplerCursor& cursor) noexcept {
  return {
      plan, table, {history, static_cast<std::size_t>(channels), static_cast<std::size_t>(frames), frames, 1}, cursor};
}

void write_table(const ResamplerPlan& plan, float* table) {
  std::ranges::transform(design_resampler(plan, ResamplerQuality::kStandard), table,
                         [](double coefficient) { return static_cast<float>(coefficient); });
}

}  // namespace

void HostStreamView::make(const HostStreamHeader& header, const Planar<const float>& default_params, float* memory) {
  const HostStreamLayout layout(header);
  std::fill_n(memory, layout.size, 0.0F);
  new (memory) HostStreamHeader(header);
  const auto n_params = static_cast<std::size_t>(header.settings.n_params);
  copy_frames<float>(default_params, Planar<float>{memory + layout.defaults, n_params, 1, 1, 1});
  if (!header.is_resampling()) return;
  write_table(header.to_model_plan(), memory + layout.to_model_table);
  write_table(header.to_host_plan(), memory + layout.to_host_table);
  const HostStreamView stream(memory);
  stream.to_model().start(header.settings.ratio.down - 1);
  stream.to_host().start(header.settings.ratio.up - 1);
}

auto HostStreamView::beginning(std::int64_t total_delay, std::int64_t model_delay) const noexcept -> Beginning {
  const RateRatio& ratio = header_->settings.ratio;
  const std::int64_t resampling = resampling_steps(ratio, header_->to_model.half_taps, header_->to_host.half_taps);
  const std::int64_t first_step = first_output_step(total_delay, ratio, resampling, model_delay);
  return {first_step, n_silent_frames(first_step, ratio)};
}

bool HostStreamView::can_start(const Beginning& beginning) const noexcept {
  const RateRatio& ratio = header_->settings.ratio;
  return beginning.first_step <= kMaxFirstStep && beginning.n_silent <= header_->out_capacity &&
         std::gcd(ratio.up, ratio.down) == 1;
}

void HostStreamView::start(HostStreamMode mode, const Beginning& beginning) noexcept {
  const RateRatio& ratio = header_->settings.ratio;
  header_->mode = mode;
  header_->is_busy = 0;
  header_->is_fresh = 1;
  header_->param_part = header_->is_resampling() ? ratio.down : 0;
  header_->in = header_->out = header_->params = RingCursors{};
  if (header_->is_resampling()) {
    to_model().start(ratio.down - 1);
    to_host().start(beginning.first_step, beginning.n_silent);
  }
  RingView<float> output = out();
  const auto silent = output.reserve(static_cast<std::size_t>(beginning.n_silent)).head;
  for (std::size_t channel = 0; channel < silent.channels; ++channel) {
    std::fill_n(silent.row(channel), silent.frames, 0.0F);
  }
  output.publish(silent.frames);
  // The defaults stay as the values before the first.
  RingView<float> waiting = params();
  static_cast<void>(waiting.write({memory_ + layout_.defaults, waiting.channels(), 1, 1, 1}));
  static_cast<void>(waiting.skip(1));
}

bool HostStreamView::has_room(std::size_t host_frames) const noexcept {
  const std::size_t frames = frames_of(host_frames);
  const std::size_t values = n_before() + host_frames;
  return in().reserve(frames).frames() == frames && params().reserve(values).frames() == values;
}

std::size_t HostStreamView::full_blocks(std::size_t host_frames) const noexcept {
  return (in().size() + frames_of(host_frames)) / static_cast<std::size_t>(header_->settings.model_block);
}

void HostStreamView::push(const HostBlock& block) noexcept {
  RingView<float> waiting = params();
  write_controls(block.params, n_before(), waiting);
  header_->is_fresh = 0;
  RingView<float> audio = in();
  if (header_->is_resampling()) {
    ResamplerView<float> resampler = to_model();
    write_resampled(block.audio, resampler, audio);
  } else {
    audio.reserve(block.audio.frames).each_part(block.audio, fit_channels<float>);
    audio.publish(block.audio.frames);
  }
}

bool HostStreamView::has_block() const noexcept {
  const auto frames = static_cast<std::size_t>(header_->settings.model_block);
  const ControlTimes times{header_->settings.ratio.up, header_->settings.ratio.down, header_->param_part};
  const std::size_t passed = times.place(frames);
  const std::size_t needed = header_->settings.takes_means != 0 ? times.place(0) + times.n_averaged(frames)
                                                                : std::max(passed, times.values_around(frames));
  return in().size() >= frames && params().size() >= std::max(needed, passed);
}

void HostStreamView::take(const Planar<float>& audio, const Planar<float>& params_out) noexcept {
  const HostStreamSettings& settings = header_->settings;
  const ControlTimes times{settings.ratio.up, settings.ratio.down, header_->param_part};
  const std::size_t passed = times.place(audio.frames);
  RingView<float> frames = in();
  static_cast<void>(frames.read(audio));
  RingView<float> values = params();
  const RingView<float>::Region waiting = values.readable(values.capacity());
  if (settings.takes_means != 0) {
    average_controls(waiting, times, audio.frames, params_out);
  } else {
    std::array<bool, kMaxStreamParams> are_stepped{};
    for (std::size_t i = 0; i < are_stepped.size(); ++i) are_stepped[i] = (settings.stepped_params >> i & 1U) != 0;
    carry_controls(waiting, times, are_stepped, params_out);
  }
  values.consume(passed);
  const std::int64_t end = header_->param_part + settings.model_block * settings.ratio.down;
  header_->param_part = end % settings.ratio.up;
}

bool HostStreamView::has_room_behind() const noexcept {
  const auto frames = static_cast<std::size_t>(header_->settings.model_block);
  return out().reserve(frames).frames() == frames;
}

void HostStreamView::put(const Planar<const float>& audio) noexcept { static_cast<void>(out().write(audio)); }

std::size_t HostStreamView::ready_after(std::size_t more) const noexcept {
  const std::size_t waiting = out().size() + more;
  return header_->is_resampling() ? to_host().ready_after(waiting) : waiting;
}

void HostStreamView::pop(const Planar<float>& out_frames) noexcept {
  RingView<float> waiting = out();
  if (!header_->is_resampling()) {
    waiting.readable(out_frames.frames).each_part(out_frames, [](const Planar<float>& to, const Planar<float>& part) {
      fit_channels<float>(part, to);
    });
    waiting.consume(out_frames.frames);
    return;
  }
  ResamplerView<float> resampler = to_host();
  if (waiting.channels() == out_frames.channels) {
    read_resampled(waiting, resampler, out_frames);
    return;
  }
  constexpr std::size_t kPart = 256;
  std::array<float, 2 * kPart> samples;  // NOLINT(*-member-init): written before it is read
  for (std::size_t done = 0; done < out_frames.frames; done += kPart) {
    const Planar<float> part{samples.data(), waiting.channels(), std::min(kPart, out_frames.frames - done), kPart, 1};
    read_resampled(waiting, resampler, part);
    fit_channels<float>(part, out_frames.slice_frames(done, part.frames));
  }
}

void HostStreamView::set_busy(std::size_t host_frames, std::size_t host_channels) noexcept {
  header_->is_busy = 1;
  header_->host_frames = static_cast<std::int64_t>(host_frames);
  header_->host_channels = static_cast<std::int64_t>(host_channels);
}

RingView<float> HostStreamView::in() const noexcept {
  return ring_at(memory_ + layout_.in, header_->settings.in_channels, header_->in_capacity, header_->in);
}

RingView<float> HostStreamView::out() const noexcept {
  return ring_at(memory_ + layout_.out, header_->settings.out_channels, header_->out_capacity, header_->out);
}

RingView<float> HostStreamView::params() const noexcept {
  return ring_at(memory_ + layout_.params, header_->settings.n_params, header_->param_capacity, header_->params);
}

ResamplerView<float> HostStreamView::to_model() const noexcept {
  return resampler_at(header_->to_model_plan(), memory_ + layout_.to_model_table, memory_ + layout_.to_model_history,
                      header_->settings.in_channels, header_->to_model.history_frames, header_->to_model_cursor);
}

ResamplerView<float> HostStreamView::to_host() const noexcept {
  return resampler_at(header_->to_host_plan(), memory_ + layout_.to_host_table, memory_ + layout_.to_host_history,
                      header_->settings.out_channels, header_->to_host.history_frames, header_->to_host_cursor);
}

std::size_t HostStreamView::frames_of(std::size_t host_frames) const noexcept {
  return header_->is_resampling() ? to_model().ready_after(host_frames) : host_frames;
}

std::size_t HostStreamView::n_before() const noexcept {
  return header_->is_fresh != 0 ? static_cast<std::size_t>(header_->look_ahead()) : 0;
}

}  // namespace neutone::dsp
