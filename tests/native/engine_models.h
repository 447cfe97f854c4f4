#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "buffer.h"
#include "check.h"
#include "compare.h"
#include "engine/engine.h"
#include "engine/semaphore.h"
#include "signals.h"

// Models for the engine's tests, and a host that plays them.
namespace neutone::test {

using engine::Engine;
using engine::EngineSettings;
using engine::HostFormat;
using engine::LatencyMode;
using engine::LateOutput;
using engine::ModelFormat;
using engine::WorkerPool;
using Audio = dsp::Planar<const float>;

// A model of a format that does not depend on the host, and does to a block what a function says.
class TestModel : public engine::Model {
 public:
  using Process = std::function<void(const Audio& audio, const Audio& params, const dsp::Planar<float>& out)>;

  TestModel(ModelFormat format, Process process) : format_(std::move(format)), process_(std::move(process)) {}

  ModelFormat configure(const HostFormat& /*host*/) override { return format_; }
  void process(const Audio& audio, const Audio& params, const dsp::Planar<float>& out) override {
    process_(audio, params, out);
  }
  void reset() override { ++n_resets_; }
  [[nodiscard]] std::size_t n_resets() const { return n_resets_; }

 private:
  ModelFormat format_;
  Process process_;
  std::size_t n_resets_ = 0;
};

inline void copy_through(const Audio& audio, const Audio& /*params*/, const dsp::Planar<float>& out) {
  dsp::copy_frames<float>(audio, out);
}

// As many channels in as out, no parameters.
inline ModelFormat format_of(std::size_t block_frames, std::int64_t rate_hz = 48'000, std::size_t channels = 2) {
  ModelFormat format;
  format.sample_rate_hz = rate_hz;
  format.block_frames = block_frames;
  format.in_channels = format.out_channels = channels;
  return format;
}

// Puts out what comes in.
inline std::shared_ptr<TestModel> identity(std::size_t block_frames, std::int64_t rate_hz = 48'000,
                                           std::size_t channels = 2) {
  return std::make_shared<TestModel>(format_of(block_frames, rate_hz, channels), copy_through);
}

// Something that a test holds and lets go, one wait at a time.
class Gate {
 public:
  void open(std::size_t times = 1) {
    for (std::size_t i = 0; i < times; ++i) posts_.post();
  }
  void pass() {
    ++n_arrived_;
    arrivals_.post();
    posts_.wait();
  }
  // Until somebody more is at the gate.
  void await_arrival() { arrivals_.wait(); }
  [[nodiscard]] std::size_t n_arrived() const { return n_arrived_; }

 private:
  engine::Semaphore posts_;
  engine::Semaphore arrivals_;
  std::atomic<std::size_t> n_arrived_{0};
};

// Opens a gate for good when a test ends, however it ends: engines wait for the blocks that are held.
struct OpenAtEnd {
  explicit OpenAtEnd(Gate& held) : gate(held) {}
  OpenAtEnd(const OpenAtEnd&) = delete;
  OpenAtEnd& operator=(const OpenAtEnd&) = delete;
  ~OpenAtEnd() { gate.open(100'000); }

  Gate& gate;
};

// Puts each block out as soon as the gate lets it, times a gain.
inline std::shared_ptr<TestModel> gated(Gate& gate, const ModelFormat& format, float gain = 1.0F) {
  return std::make_shared<TestModel>(
      format, [&gate, gain](const Audio& audio, const Audio& /*params*/, const dsp::Planar<float>& out) {
        gate.pass();
        dsp::copy_frames<float>(audio, out);
        for (std::size_t channel = 0; channel < out.channels; ++channel) {
          for (std::size_t frame = 0; frame < out.frames; ++frame) out.row(channel)[frame] *= gain;
        }
      });
}

// Tells how many frames the next callback has, of those that are left.
using NextBlock = std::function<std::size_t()>;

inline NextBlock always(std::size_t frames) {
  return [frames] { return frames; };
}

// Anything up to `most`; 0 and 1 as well.
inline NextBlock randomly(std::size_t most, std::uint64_t seed) {
  return [random = std::mt19937_64(seed), most]() mutable {
    const std::uint64_t kind = random() % 8;
    return static_cast<std::size_t>(kind < 2 ? kind : random() % (most + 1));
  };
}

// Waits for a pool of one thread to finish what engines have given it: the pool's jobs take turns, so every block of
// its own that comes back means that another of each engine's is done.
class Fence {
 public:
  explicit Fence(std::shared_ptr<WorkerPool> pool) : engine_(std::move(pool)) {
    engine_.set_model(identity(1, 48'000, 1));
    engine_.prepare({.max_block_frames = 1, .in_channels = 1, .out_channels = 1},
                    {.latency_mode = LatencyMode::kBlocking});
  }
  // Until `n_blocks` blocks of an engine are done.
  void wait_for(std::size_t n_blocks) {
    for (std::size_t i = 0; i < n_blocks + 1; ++i) engine_.process(frame_.planar(), {}, frame_.planar());
  }
  // Until an engine's blocks after the first `n_blocks` are done; returns how many there have been.
  std::uint64_t wait_for_those_since(std::uint64_t n_blocks, const Engine& engine) {
    const std::uint64_t count = engine.stats().blocks;
    if (count > n_blocks) wait_for(count - n_blocks);
    return count;
  }

 private:
  Engine engine_;
  Buffer frame_ = Buffer(1, 1);
};

// Plays `in` through an engine, into as many frames. The last callback may be shorter. With a fence, the worker is done
// before the next callback.
inline void play(Engine& engine, const Audio& in, const Audio& params, const dsp::Planar<float>& out,
                 const NextBlock& next_block, Fence* fence = nullptr) {
  std::uint64_t n_blocks = fence == nullptr ? 0 : engine.stats().blocks;
  for (std::size_t done = 0; done < in.frames;) {
    const std::size_t frames = std::min(next_block(), in.frames - done);
    const Audio values = params.frames == 1 ? params : params.slice_frames(done, frames);
    engine.process(in.slice_frames(done, frames), values, out.slice_frames(done, frames));
    done += frames;
    if (fence != nullptr) n_blocks = fence->wait_for_those_since(n_blocks, engine);
  }
}

// Plays a stream as a host with blocks of any size would, and returns what came out.
inline Buffer played(Engine& engine, const Audio& in, const Audio& params, const NextBlock& blocks) {
  Buffer out(2, in.frames);
  play(engine, in, params, out.planar(), blocks);
  return out;
}

// Fails the test unless `out` is `in`, so many frames later, behind silence.
inline void check_delayed(const Audio& in, const Audio& out, std::size_t delay, const Place& place = Place::current()) {
  for (std::size_t channel = 0; channel < out.channels; ++channel) {
    for (std::size_t frame = 0; frame < out.frames; ++frame) {
      const float expected = frame < delay ? 0.0F : at(in, channel, frame - delay);
      check(Split{} << at(out, channel, frame) == expected, "frame " + show(frame) + " of " + show(channel), place);
    }
  }
}

inline void check_equal(const Audio& actual, const Audio& expected, const Place& place = Place::current()) {
  check_delayed(expected, actual, 0, place);
}

}  // namespace neutone::test
