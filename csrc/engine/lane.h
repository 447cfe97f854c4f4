#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "../dsp/planar.h"
#include "../dsp/realtime.h"
#include "finite.h"
#include "model_stream.h"
#include "worker_pool_state.h"

namespace neutone::engine {

// What an engine plays: a model's stream, or without a model silence, which comes without delay.
class Lane {
 public:
  // Throws as ModelStream does. `workers`, `counters` and `waits` outlive this. [control, allocates]
  Lane(Workers& workers, std::shared_ptr<Model> model, const HostFormat& host, const EngineSettings& settings,
       Counters& counters, const std::atomic<bool>& waits)
      : workers_(workers),
        model_(std::move(model)),
        stream_(model_ ? std::make_unique<ModelStream>(model_, host, settings, counters, waits) : nullptr) {
    resume();
  }
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;
  ~Lane() { pause(); }

  [[nodiscard]] const std::shared_ptr<Model>& model() const noexcept { return model_; }
  // The worker has let go of the model when this returns, [control]
  void pause() noexcept {
    if (stream_) workers_.remove(*stream_);
  }
  // and goes on with this. [control, allocates]
  void resume() {
    if (stream_) workers_.add(*stream_);
  }
  // Nothing but silence comes from the model any more. [control, while paused]
  void give_up() noexcept {
    if (stream_) stream_->give_up();
  }

  // In samples of the host. [any thread, wait-free]
  [[nodiscard]] std::size_t latency_samples() const noexcept NEUTONE_NONBLOCKING {
    return stream_ ? stream_->latency_samples() : 0;
  }
  // Forgets all audio, if there was any. [audio, wait-free]
  void start() noexcept NEUTONE_NONBLOCKING {
    if (stream_) stream_->start();
    frames_out_ = 0;
  }
  // Takes in a callback's audio. [audio, wait-free]
  void push(const dsp::Planar<const float>& audio,
            const dsp::Planar<const float>& params) noexcept NEUTONE_NONBLOCKING {
    if (stream_ && stream_->push(audio, params) > 0) workers_.wake();
  }
  // Puts out as many frames as were pushed, and returns how many of them are missing. [audio, wait-free, or waits]
  [[nodiscard]] std::size_t pull(const dsp::Planar<float>& out) noexcept NEUTONE_NONBLOCKING {
    frames_out_ += out.frames;
    if (stream_) return stream_->pull(out);
    silence(out);
    return 0;
  }
  // Frames that have gone out since the start. [audio, wait-free]
  [[nodiscard]] std::uint64_t frames_out() const noexcept NEUTONE_NONBLOCKING { return frames_out_; }

 private:
  Workers& workers_;
  std::shared_ptr<Model> model_;
  std::unique_ptr<ModelStream> stream_;
  std::uint64_t frames_out_ = 0;
};

}  // namespace neutone::engine
