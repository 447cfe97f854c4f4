#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "../dsp/planar.h"
#include "../dsp/realtime.h"
#include "model.h"
#include "stats.h"
#include "worker_pool.h"

namespace neutone::engine {

// How long the worker may take for a block. Besides, audio has to wait until a block of the model is full.
enum class LatencyMode : std::uint8_t {
  kTwoBlocks,  // as long as a block of the model lasts: what plugins want
  kOneBlock,   // until the next callback of the host
  kBlocking,   // as long as it takes: `process` waits. For bounces and tests, never on an audio thread.
};

// What is heard in place of output that the worker has not finished in time.
enum class LateOutput : std::uint8_t { kSilence, kDry };

struct EngineSettings {
  LatencyMode latency_mode = LatencyMode::kTwoBlocks;
  LateOutput late_output = LateOutput::kSilence;
};

// Plays a model on an audio thread that never waits for it: the thread resamples, gathers blocks, hands them to a
// worker and takes what came back, each block by its number, so that a late one is dropped and the latency stays what
// it is.
class Engine {
 public:
  // Its models run on the threads of `pool`, which other engines may share. [control, allocates]
  explicit Engine(std::shared_ptr<WorkerPool> pool);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  ~Engine();

  // Gets ready for a host, with the model that was set last, and starts from silence. Throws std::invalid_argument for
  // what makes no sense, and what the model throws; then everything is as before. [control, no process, allocates]
  void prepare(const HostFormat& host, const EngineSettings& settings = {});

  // Plays `model` from now on, or nothing (null: silence). Before `prepare`, it is played from there on; afterwards the
  // new one is got ready here and takes over with a cross-fade while `process` goes on. Throws as `prepare` does; then
  // the old one goes on. Returns before the fade is over. [control, allocates]
  void set_model(std::shared_ptr<Model> model);

  // One callback: `in` and `out` have the host's channels and any equal number of frames up to its largest block,
  // `params` (parameters of the model or more rows, 1 or as many frames) values of 0..1. `in` and `out` may be the same
  // memory. Before `prepare`, or with a block larger than the largest, out is silence, and counted. [audio, wait-free
  // unless kBlocking or waiting]
  void process(const dsp::Planar<const float>& in, const dsp::Planar<const float>& params,
               const dsp::Planar<float>& out) noexcept NEUTONE_NONBLOCKING;
  // While on, `process` waits for what the worker has not finished, as kBlocking does, at the latency of its mode: for
  // a host that renders faster than real time for a while. Off at first. [any thread, wait-free]
  void set_waiting(bool is_waiting) noexcept NEUTONE_NONBLOCKING;
  // Forgets all audio and starts from silence with the next callback. [audio, or control while no process runs;
  // wait-free]
  void reset() noexcept NEUTONE_NONBLOCKING;

  // Host samples by which the output is late, exactly; changes only in `prepare` and where a new model takes over.
  // [any thread, wait-free]
  [[nodiscard]] std::size_t latency_samples() const noexcept NEUTONE_NONBLOCKING;
  // What was lost since `prepare`: the two of `stats` that an audio thread may show. [any thread, wait-free]
  [[nodiscard]] Losses losses() const noexcept NEUTONE_NONBLOCKING;
  // What happened since `prepare`, in some µs. [any thread, wait-free]
  [[nodiscard]] Stats stats() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace neutone::engine
