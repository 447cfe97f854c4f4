#include "model_stream.h"

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

namespace neutone::engine {

namespace {

ModelFormat checked(ModelFormat format) {
  check_format(format);
  return format;
}

}  // namespace

ModelStream::Resamplers::Resamplers(const HostFormat& host, const ModelFormat& format)
    : to_model(host.sample_rate_hz, format.sample_rate_hz, dsp::ResamplerQuality::kStandard, format.in_channels),
      to_host(format.sample_rate_hz, host.sample_rate_hz, dsp::ResamplerQuality::kStandard, format.out_channels) {}

std::unique_ptr<ModelStream::Resamplers> ModelStream::resamplers_for(const HostFormat& host,
                                                                     const ModelFormat& format) {
  if (host.sample_rate_hz == format.sample_rate_hz) return nullptr;
  return std::make_unique<Resamplers>(host, format);
}

ModelStream::ModelStream(std::shared_ptr<Model> model, const HostFormat& host, const EngineSettings& settings,
                         Counters& counters, const std::atomic<bool>& waits)
    : model_(std::move(model)),
      format_(checked(model_->configure(host))),
      resamplers_(resamplers_for(host, format_)),
      timing_(host, format_, settings.latency_mode, resamplers_ ? resamplers_->to_model.plan().half_taps : 1,
              resamplers_ ? resamplers_->to_host.plan().half_taps : 1),
      slots_(format_, timing_.n_slots),
      counters_(counters),
      runner_(*model_, counters),
      gatherer_(host, format_, slots_, resamplers_ ? &resamplers_->to_model : nullptr),
      reader_(format_.block_frames, slots_, counters,
              {finished_, settings.latency_mode == LatencyMode::kBlocking, waits}),
      player_(host, format_, reader_, resamplers_ ? &resamplers_->to_host : nullptr) {
  if (settings.late_output == LateOutput::kDry) {
    dry_.emplace(host.out_channels, latency_samples(), host.max_block_frames);
  }
  begin();
}

void ModelStream::begin() noexcept NEUTONE_NONBLOCKING {
  gatherer_.start(stream_);
  reader_.start(gatherer_.number(), timing_.n_silent);
  player_.start(timing_.first_step, timing_.n_silent);
  if (dry_) dry_->start();
  is_fresh_ = true;
}

void ModelStream::start() noexcept NEUTONE_NONBLOCKING {
  if (is_fresh_) return;
  ++stream_;
  begin();
}

std::size_t ModelStream::push(const dsp::Planar<const float>& audio,
                              const dsp::Planar<const float>& params) noexcept NEUTONE_NONBLOCKING {
  is_fresh_ = is_fresh_ && audio.frames == 0;
  if (dry_) dry_->push(audio);
  const std::size_t n_blocks = gatherer_.push(audio, params);
  Counters::add(counters_.blocks, n_blocks);
  return n_blocks;
}

std::size_t ModelStream::pull(const dsp::Planar<float>& out) noexcept NEUTONE_NONBLOCKING {
  return player_.pull(out, dry_ ? dry_->pull(out.frames) : dsp::Planar<const float>{});
}

void ModelStream::run_block() noexcept {
  const Block* const block = slots_.take();
  if (block == nullptr) return;
  runner_.run(*block);
  slots_.finish();
  finished_.post();
}

}  // namespace neutone::engine
