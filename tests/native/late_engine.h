#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "buffer.h"
#include "engine/engine.h"
#include "engine_models.h"

// An engine whose worker is late by plan: a gate that the test opens holds each block back.
namespace neutone::test {

inline constexpr std::size_t kFade = 64;
inline constexpr std::size_t kFrames = 40'000;
inline constexpr std::size_t kBlock = 256;
inline constexpr std::size_t kHostBlock = 128;

inline HostFormat host_at(std::int64_t rate_hz) {
  return {.sample_rate_hz = rate_hz, .max_block_frames = kHostBlock, .has_constant_blocks = true};
}

// A host with constant blocks, and a model behind a gate.
class Late {
 public:
  Late(const ModelFormat& format, const HostFormat& host, const EngineSettings& settings, float gain = 1.0F,
       Buffer in = noise(2, kFrames))
      : block_(host.max_block_frames), in_(std::move(in)), engine_(pool_), fence_(pool_) {
    engine_.set_model(gated(gate_, format, gain));
    engine_.prepare(host, settings);
  }
  Late(const Late&) = delete;
  Late& operator=(const Late&) = delete;
  ~Late() { gate_.open(kFrames); }  // nobody waits any more

  // Callbacks whose blocks the worker finishes before the next.
  void play_in_time(std::size_t callbacks) {
    for (std::size_t i = 0; i < callbacks; ++i) {
      play_late(1);
      catch_up();
    }
  }
  // Callbacks whose blocks the gate holds.
  void play_late(std::size_t callbacks) {
    for (std::size_t i = 0; i < callbacks; ++i, position_ += block_) {
      const std::uint64_t before = engine_.stats().blocks;
      engine_.process(in(position_), {}, out_.planar().slice_frames(position_, block_));
      n_held_ += engine_.stats().blocks - before;
    }
  }
  // Lets all blocks that are held through. The worker leaves out those that are of no use by now: then the gate stays
  // open for as many others.
  void catch_up() {
    gate_.open(n_held_);
    fence_.wait_for(n_held_);
    n_held_ = 0;
  }

  [[nodiscard]] std::size_t position() const { return position_; }
  [[nodiscard]] Audio input() const { return in_.planar().slice_frames(0, position_); }
  [[nodiscard]] Audio output() const { return out_.planar().slice_frames(0, position_); }
  [[nodiscard]] Audio in(std::size_t first) const { return in_.planar().slice_frames(first, block_); }
  [[nodiscard]] Engine& engine() { return engine_; }
  [[nodiscard]] Gate& gate() { return gate_; }
  [[nodiscard]] std::size_t latency() const { return engine_.latency_samples(); }

 private:
  std::size_t block_;
  Buffer in_;
  Buffer out_{2, kFrames};
  Gate gate_;
  std::shared_ptr<WorkerPool> pool_ = std::make_shared<WorkerPool>(1);
  Engine engine_;
  Fence fence_;
  std::size_t position_ = 0;
  std::size_t n_held_ = 0;
};

// A stream `delay` frames later, times a gain.
inline Buffer delayed(const Audio& in, std::size_t delay, float gain = 1.0F) {
  Buffer out(in.channels, in.frames);
  for (std::size_t channel = 0; channel < in.channels; ++channel) {
    for (std::size_t frame = 0; frame < in.frames; ++frame) {
      at(out.planar(), channel, frame) = frame < delay ? 0.0F : gain * at(in, channel, frame - delay);
    }
  }
  return out;
}

}  // namespace neutone::test
