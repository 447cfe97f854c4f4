#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "../dsp/planar.h"
#include "../dsp/realtime.h"
#include "../dsp/resampler.h"
#include "block_gatherer.h"
#include "block_player.h"
#include "block_reader.h"
#include "block_slots.h"
#include "counters.h"
#include "delay_line.h"
#include "engine.h"
#include "formats.h"
#include "model_runner.h"
#include "semaphore.h"
#include "worker_pool_state.h"

namespace neutone::engine {

// A model with all that lies between it and a host: blocks, resamplers, and the worker's side of it.
class ModelStream final : public Job {
 public:
  // Configures the model. Throws what it throws, and std::invalid_argument if its format makes no sense. `counters`,
  // and `waits`, which says whether `pull` waits for the worker in modes other than kBlocking, outlive this. [control,
  // allocates]
  ModelStream(std::shared_ptr<Model> model, const HostFormat& host, const EngineSettings& settings, Counters& counters,
              const std::atomic<bool>& waits);

  // In samples of the host. [any thread, wait-free]
  [[nodiscard]] std::size_t latency_samples() const noexcept NEUTONE_NONBLOCKING {
    return static_cast<std::size_t>(timing_.latency);
  }

  // Forgets all audio, if there was any. [audio, wait-free]
  void start() noexcept NEUTONE_NONBLOCKING;
  // Takes in a callback's audio, and returns how many blocks that makes for the worker. [audio, wait-free]
  [[nodiscard]] std::size_t push(const dsp::Planar<const float>& audio,
                                 const dsp::Planar<const float>& params) noexcept NEUTONE_NONBLOCKING;
  // Puts out as many frames as were pushed, and returns how many of them are missing. [audio, wait-free unless
  // it waits]
  [[nodiscard]] std::size_t pull(const dsp::Planar<float>& out) noexcept NEUTONE_NONBLOCKING;
  [[nodiscard]] bool has_block() const noexcept override { return slots_.has_block(); }
  void run_block() noexcept override;
  // Nothing but silence comes from the model any more. [control, while it is not on a pool]
  void give_up() noexcept { runner_.give_up(); }

 private:
  struct Resamplers {
    Resamplers(const HostFormat& host, const ModelFormat& format);

    dsp::Resampler<float> to_model;
    dsp::Resampler<float> to_host;
  };
  // Starts the stream of this number.
  void begin() noexcept NEUTONE_NONBLOCKING;
  [[nodiscard]] static std::unique_ptr<Resamplers> resamplers_for(const HostFormat& host, const ModelFormat& format);

  std::shared_ptr<Model> model_;
  ModelFormat format_;
  std::unique_ptr<Resamplers> resamplers_;  // null at equal rates
  Timing timing_;
  BlockSlots slots_;
  Semaphore finished_;
  Counters& counters_;
  ModelRunner runner_;
  BlockGatherer gatherer_;
  BlockReader reader_;
  BlockPlayer player_;
  std::optional<DelayLine> dry_;
  std::uint64_t stream_ = 0;
  bool is_fresh_ = true;  // nothing has come in since the start
};

}  // namespace neutone::engine
