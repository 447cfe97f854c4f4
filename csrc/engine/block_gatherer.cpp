#include "block_gatherer.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "../dsp/channels.h"
#include "../dsp/parameters.h"
#include "finite.h"

namespace neutone::engine {

BlockGatherer::BlockGatherer(const HostFormat& host, const ModelFormat& format, BlockSlots& slots,
                             dsp::Resampler<float>* to_model)
    : spare_(format, 1),
      slots_(slots),
      to_model_(to_model),
      block_frames_(format.block_frames),
      are_stepped_(format.default_params.size()),
      defaults_(format.default_params),
      held_(format.default_params) {
  std::ranges::copy(format.are_categorical, are_stepped_.data());
  if (to_model == nullptr || held_.empty()) return;
  // What the resampler looks ahead, what a callback brings, and what the last frame left behind.
  const auto step = static_cast<std::size_t>(dsp::ceil_div(to_model->plan().down, to_model->plan().up));
  const std::size_t capacity = to_model->plan().half_taps + host.max_block_frames + step + 2;
  waiting_ = std::make_unique<dsp::SpscRing<float>>(held_.size(), capacity);
}

void BlockGatherer::start(std::uint64_t stream) noexcept NEUTONE_NONBLOCKING {
  stream_ = stream;
  block_ = nullptr;
  filled_ = 0;
  is_fresh_ = true;
  std::ranges::copy(defaults_, held_.begin());
  if (to_model_ == nullptr) return;
  const dsp::ResamplerPlan& plan = to_model_->plan();
  to_model_->view().start(plan.down - 1);
  // Frame i lies at (i + 1) * down / up - half_taps of the host's; half_taps values are put in front.
  times_ = {plan.up, plan.down, plan.down};
  if (!waiting_) return;
  waiting_->view().reset();
  static_cast<void>(waiting_->view().write({held_.data(), held_.size(), 1, 1, 1}));
  static_cast<void>(waiting_->view().skip(1));  // it stays as the value before the first
}

std::size_t BlockGatherer::push(const dsp::Planar<const float>& audio,
                                const dsp::Planar<const float>& params) noexcept NEUTONE_NONBLOCKING {
  if (audio.frames == 0) return 0;
  const std::uint64_t before = number_;
  if (to_model_ == nullptr) {
    push_equal(audio, fitted(params, audio.frames));
  } else {
    push_resampled(audio, fitted(params, audio.frames));
  }
  return static_cast<std::size_t>(number_ - before);
}

dsp::Planar<const float> BlockGatherer::fitted(const dsp::Planar<const float>& params,
                                               std::size_t frames) const noexcept NEUTONE_NONBLOCKING {
  if (params.channels < held_.size() || params.frames == 0) return {held_.data(), held_.size(), frames, 1, 0};
  dsp::Planar<const float> curves = params.slice_channels(0, held_.size());
  if (params.frames < frames) curves.frame_stride = 0;
  curves.frames = frames;
  return curves;
}

Block BlockGatherer::room(std::size_t frames) noexcept NEUTONE_NONBLOCKING {
  if (block_ == nullptr) {
    block_ = slots_.begin(number_);
    is_kept_ = block_ != nullptr;
    if (!is_kept_) block_ = spare_.begin(0);
    block_->stream = stream_;
  }
  const std::size_t count = std::min(frames, block_frames_ - filled_);
  return {block_->audio.slice_frames(filled_, count), block_->params.slice_frames(filled_, count), {}, stream_};
}

void BlockGatherer::advance(std::size_t frames) noexcept NEUTONE_NONBLOCKING {
  filled_ += frames;
  if (filled_ < block_frames_) return;
  slots_.publish(number_++, is_kept_);
  block_ = nullptr;
  filled_ = 0;
}

void BlockGatherer::push_equal(const dsp::Planar<const float>& audio,
                               const dsp::Planar<const float>& params) noexcept NEUTONE_NONBLOCKING {
  for (std::size_t done = 0; done < audio.frames;) {
    const Block to = room(audio.frames - done);
    dsp::fit_channels<float>(audio.slice_frames(done, to.audio.frames), to.audio);
    for (std::size_t param = 0; param < held_.size(); ++param) {
      const float* const values = params.slice_frames(done, 0).row(param);
      held_[param] =
          dsp::copy_cleaned(values, params.frame_stride, to.params.row(param), to.params.frames, held_[param]);
    }
    done += to.audio.frames;
    advance(to.audio.frames);
  }
}

void BlockGatherer::push_resampled(const dsp::Planar<const float>& audio,
                                   const dsp::Planar<const float>& params) noexcept NEUTONE_NONBLOCKING {
  dsp::ResamplerView<float>& resampler = to_model_->view();
  if (waiting_) {
    // Before the stream there was silence, but no other position of the knobs.
    dsp::write_controls(params, is_fresh_ ? resampler.plan().half_taps : 0, waiting_->view());
    for (std::size_t param = 0; param < held_.size(); ++param)
      held_[param] = *waiting_->view().last_written().row(param);
  }
  is_fresh_ = false;
  for (std::size_t done = 0; true;) {
    filter_ready();
    const dsp::Planar<float> history = resampler.reserve(audio.frames - done);
    if (history.frames == 0) return;
    dsp::fit_channels<float>(audio.slice_frames(done, history.frames), history);
    mute_non_finite(history);  // one would spoil all frames whose windows it lies in
    resampler.publish(history.frames);
    done += history.frames;
  }
}

void BlockGatherer::filter_ready() noexcept NEUTONE_NONBLOCKING {
  dsp::ResamplerView<float>& resampler = to_model_->view();
  for (std::size_t ready = resampler.ready(); ready > 0;) {
    const Block to = room(ready);
    resampler.filter(to.audio);
    resampler.advance(to.audio.frames);
    if (waiting_) carry_params(to.params);
    ready -= to.audio.frames;
    advance(to.audio.frames);
  }
}

void BlockGatherer::carry_params(const dsp::Planar<float>& to) noexcept NEUTONE_NONBLOCKING {
  dsp::RingView<float>& ring = waiting_->view();
  const std::size_t passed = times_.place(to.frames);
  const dsp::RingView<float>::Region values = ring.readable(std::max(passed, times_.values_around(to.frames)));
  dsp::carry_controls(values, times_, std::span<const bool>(are_stepped_.data(), held_.size()), to);
  ring.consume(passed);
  times_.part = (times_.part + static_cast<std::int64_t>(to.frames) * times_.down) % times_.up;
}

}  // namespace neutone::engine
