// What a callback of the engine costs the audio thread: stereo, four parameters as curves or none, an identity model
// with blocks of 2048 frames at 48 kHz on a thread of its own.
//
// Only the callback is timed, each by itself, and the worker is waited for in between: it is in time, as in a host that
// runs in real time. The time is the clock's on the wall, since waking the worker is part of it.
//
// Beside it stands a ring of samples with a worker, as anira does it (sample_rings.h): comparable is what the audio
// thread does to bring blocks to a worker and back, at equal rates. Not comparable: the stand-in has no parameters, no
// resampler, no numbers on its blocks and so no constant latency when one is late; and anira's own code does more than
// it (pre- and post-processing behind virtual calls, sessions, a queue for several threads).
//
// Nothing at all, and a wake of a thread that sleeps, stand there as bounds: the first is what the machine takes from
// any thread, the second what every callback costs besides in which a block is full.

#include "engine/engine.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "allocation_counter.h"
#include "blocks.h"
#include "engine/semaphore.h"
#include "sample_rings.h"
#include "suite.h"
#include "threads.h"

namespace neutone::bench {
namespace {

constexpr std::size_t kModelBlock = 2048;
constexpr std::size_t kModelHz = 48'000;

class Identity final : public engine::Model {
 public:
  explicit Identity(std::size_t n_knobs) : n_knobs_(n_knobs) {}
  engine::ModelFormat configure(const engine::HostFormat& /*host*/) override {
    engine::ModelFormat format;
    format.sample_rate_hz = kModelHz;
    format.block_frames = kModelBlock;
    format.default_params.assign(n_knobs_, 0.5F);
    format.are_categorical.assign(n_knobs_, false);
    return format;
  }
  void process(const dsp::Planar<const float>& audio, const dsp::Planar<const float>& /*params*/,
               const dsp::Planar<float>& out) override {
    dsp::copy_frames<float>(audio, out);
    ++n_done_;
  }
  void reset() override {}

  [[nodiscard]] std::uint64_t n_done() const noexcept { return n_done_; }

 private:
  std::atomic<std::uint64_t> n_done_{0};
  std::size_t n_knobs_;
};

// Makes something whose threads run on another core than the caller's.
template <typename Make>
auto on_other_core(const Make& make) {
  pin_to_core(1);
  auto made = make();
  pin_to_core(0);
  return made;
}

template <std::size_t kKnobs>
class EnginePlayer {
 public:
  EnginePlayer(std::size_t host_hz, std::size_t frames)
      : audio_(1.0F, kChannels, frames),
        params_(1.0F, 4, frames),
        engine_(on_other_core([] { return std::make_shared<engine::WorkerPool>(1); })) {
    for (std::size_t param = 0; param < 4; ++param) {  // noise around 0, brought to 0..1
      for (std::size_t frame = 0; frame < frames; ++frame) params_.sample(param, frame) += 0.5F;
    }
    engine_.set_model(model_);
    engine_.prepare({.sample_rate_hz = static_cast<std::int64_t>(host_hz), .max_block_frames = frames});
  }
  void pass() { engine_.process(audio_.in(), params_.in(), audio_.out()); }
  [[nodiscard]] std::uint64_t n_done() const { return model_->n_done(); }

 private:
  Block audio_;
  Block params_;
  std::shared_ptr<Identity> model_ = std::make_shared<Identity>(kKnobs);
  engine::Engine engine_;
};

class SampleRingsPlayer {
 public:
  SampleRingsPlayer(std::size_t /*host_hz*/, std::size_t frames)
      : audio_(1.0F, kChannels, frames),
        rings_(on_other_core([] { return std::make_unique<SampleRings>(kChannels, kModelBlock); })) {}
  void pass() { rings_->process(audio_.in(), audio_.out()); }
  [[nodiscard]] std::uint64_t n_done() const { return rings_->n_done(); }

 private:
  Block audio_;
  std::unique_ptr<SampleRings> rings_;
};

class Nothing {
 public:
  Nothing(std::size_t /*host_hz*/, std::size_t /*frames*/) {}
  void pass() {}
  [[nodiscard]] static std::uint64_t n_done() { return std::numeric_limits<std::uint64_t>::max(); }
};

// Wakes a thread with every callback.
class Wake {
 public:
  Wake(std::size_t /*host_hz*/, std::size_t /*frames*/) {
    thread_ = on_other_core([this] { return std::thread([this] { sleep(); }); });
  }
  Wake(const Wake&) = delete;
  Wake& operator=(const Wake&) = delete;
  ~Wake() {
    is_stopping_ = true;
    semaphore_.post();
    thread_.join();
  }
  void pass() { semaphore_.post(); }
  [[nodiscard]] std::uint64_t n_done() const { return n_done_; }

 private:
  void sleep() {
    for (semaphore_.wait(); !is_stopping_; semaphore_.wait()) ++n_done_;
  }

  engine::Semaphore semaphore_;
  std::atomic<bool> is_stopping_{false};
  std::atomic<std::uint64_t> n_done_{0};
  std::thread thread_;
};

// Callbacks of a player, each timed by itself; all that there have been count for the percentiles.
template <typename Player>
class Callbacks {
 public:
  Callbacks(std::size_t host_hz, std::size_t frames) : host_hz_(host_hz), frames_(frames), player_(host_hz, frames) {
    constexpr std::size_t kRounds = 20;  // of blocks of the model, until everything has been used once
    const std::size_t count = kRounds * kModelBlock / frames + 1;
    durations_ns_.reserve(count);
    heap_calls_ = static_cast<double>(test::count_heap_calls([&] {
                    for (std::size_t i = 0; i < count; ++i) {
                      player_.pass();
                      await_worker();
                    }
                  })) /
                  static_cast<double>(count);
  }

  void measure(::benchmark::State& state) {
    using Clock = std::chrono::steady_clock;
    for ([[maybe_unused]] const auto _ : state) {
      const Clock::time_point start = Clock::now();
      player_.pass();
      const std::chrono::duration<double> duration = Clock::now() - start;
      state.SetIterationTime(duration.count());
      durations_ns_.push_back(1e9 * duration.count());
      await_worker();
    }
    std::ranges::sort(durations_ns_);
    const auto quantile_us = [this](double share) {
      return durations_ns_[static_cast<std::size_t>(share * static_cast<double>(durations_ns_.size() - 1))] / 1e3;
    };
    state.counters["p50_us"] = quantile_us(0.5);
    state.counters["p99_9_us"] = quantile_us(0.999);
    state.counters["max_us"] = quantile_us(1.0);
    state.counters["heap_calls"] = heap_calls_;
  }

 private:
  // Until the worker has done all that is full by now.
  void await_worker() {
    n_frames_ += frames_;
    const std::uint64_t n_full = n_frames_ * kModelHz / host_hz_ / kModelBlock;
    while (player_.n_done() < n_full) std::this_thread::yield();
  }

  std::size_t host_hz_;
  std::size_t frames_;
  Player player_;
  std::vector<double> durations_ns_;
  std::uint64_t n_frames_ = 0;
  double heap_calls_ = 0.0;
};

template <typename Player>
void add_player(const std::string& contender, std::size_t host_hz, std::size_t frames) {
  const std::string group = "engine/" + std::to_string(host_hz) + " Hz, " + std::to_string(frames) + " frames";
  add_case(group, contender, [=, callbacks = std::shared_ptr<Callbacks<Player>>()](::benchmark::State& state) mutable {
    if (!callbacks) callbacks = std::make_shared<Callbacks<Player>>(host_hz, frames);
    callbacks->measure(state);
  })->UseManualTime();
}

}  // namespace

void add_cases() {
  for (const std::size_t frames : {64U, 512U, 2048U}) {
    add_player<EnginePlayer<4>>("neutone", kModelHz, frames);
    add_player<EnginePlayer<0>>("neutone, no parameters", kModelHz, frames);
    add_player<SampleRingsPlayer>("ring of samples and worker pool, as anira does it", kModelHz, frames);
  }
  for (const std::size_t frames : {64U, 512U}) add_player<EnginePlayer<4>>("neutone", 44'100, frames);
  add_player<Nothing>("nothing", kModelHz, kModelBlock);
  add_player<Wake>("waking a thread", kModelHz, kModelBlock);
}

}  // namespace neutone::bench
