#include "engine.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <utility>
#include <vector>

#include "../dsp/flush_to_zero.h"
#include "counters.h"
#include "finite.h"
#include "formats.h"
#include "lane.h"
#include "lane_switch.h"

namespace neutone::engine {

struct Engine::State {
  explicit State(std::shared_ptr<WorkerPool> workers) : pool(std::move(workers)) {}

  // The lane that plays a model already, or a new one. [control, allocates]
  Lane& lane_for(const std::shared_ptr<Model>& player);
  // Frees the lanes that are out of use. [control]
  void sweep() noexcept {
    std::erase_if(lanes, [this](const auto& lane) { return !lane_switch->needs(lane.get()); });
  }
  // [control, allocates]
  [[nodiscard]] std::unique_ptr<Lane> make_lane(const HostFormat& format, const EngineSettings& choices,
                                                const std::shared_ptr<Model>& player) {
    return std::make_unique<Lane>(pool->state_->workers, player, format, choices, counters, waits);
  }
  // Brings a model that may be half-configured back to what its lane knows it as. [control, allocates]
  void restore() noexcept;

  [[nodiscard]] bool accepts(const dsp::Planar<const float>& in,
                             const dsp::Planar<float>& out) const noexcept NEUTONE_NONBLOCKING {
    return lane_switch && in.frames == out.frames && out.frames <= host.max_block_frames &&
           in.channels == host.in_channels && out.channels == host.out_channels;
  }

  Counters counters;
  std::atomic<std::size_t> latency{0};
  std::atomic<bool> waits{false};
  std::shared_ptr<WorkerPool> pool;
  std::shared_ptr<Model> model;
  std::vector<std::unique_ptr<Lane>> lanes;
  std::unique_ptr<LaneSwitch> lane_switch;  // null before prepare
  HostFormat host;
  std::mutex control;  // for threads that call control methods at the same time
  EngineSettings settings;
  std::atomic<bool> wants_reset{false};
};

Lane& Engine::State::lane_for(const std::shared_ptr<Model>& player) {
  const auto found = std::ranges::find_if(lanes, [&](const auto& lane) { return lane->model() == player; });
  if (found != lanes.end()) return **found;
  lanes.reserve(lanes.size() + 1);
  return *lanes.emplace_back(make_lane(host, settings, player));
}

void Engine::State::restore() noexcept {
  try {
    if (model && lane_switch) static_cast<void>(model->configure(host));
  } catch (...) {  // not even back: it may not be run any more
    for (const auto& lane : lanes) lane->give_up();
  }
  for (const auto& lane : lanes) lane->resume();
}

Engine::Engine(std::shared_ptr<WorkerPool> pool) {
  if (!pool) throw std::invalid_argument("an engine needs a worker pool, got none");
  state_ = std::make_unique<State>(std::move(pool));
}

Engine::~Engine() = default;

void Engine::prepare(const HostFormat& host, const EngineSettings& settings) {
  const std::scoped_lock lock(state_->control);
  check_format(host);
  check_settings(settings);
  for (const auto& lane : state_->lanes) lane->pause();
  try {
    std::vector<std::unique_ptr<Lane>> lanes;
    lanes.push_back(state_->make_lane(host, settings, state_->model));
    state_->lane_switch = std::make_unique<LaneSwitch>(host, *lanes.front(), state_->latency);
    state_->lanes = std::move(lanes);
  } catch (...) {
    state_->restore();
    throw;
  }
  state_->host = host;
  state_->settings = settings;
  state_->wants_reset = false;
  state_->counters.reset();
}

void Engine::set_model(std::shared_ptr<Model> model) {
  const std::scoped_lock lock(state_->control);
  if (state_->lane_switch) {
    state_->sweep();
    state_->lane_switch->want(state_->lane_for(model));
    state_->sweep();
  }
  state_->model = std::move(model);
}

void Engine::process(const dsp::Planar<const float>& in, const dsp::Planar<const float>& params,
                     const dsp::Planar<float>& out) noexcept NEUTONE_NONBLOCKING {
  const dsp::ScopedFlushToZero flush;
  Counters::add(state_->counters.callbacks);
  if (!state_->accepts(in, out)) {
    silence(out);
    Counters::add(state_->counters.refused_callbacks);
    return;
  }
  if (state_->wants_reset.load(std::memory_order_relaxed) && state_->wants_reset.exchange(false)) {
    state_->lane_switch->restart();
  }
  Counters::add(state_->counters.missing_samples, state_->lane_switch->process(in, params, out));
}

void Engine::reset() noexcept NEUTONE_NONBLOCKING { state_->wants_reset = true; }

std::size_t Engine::latency_samples() const noexcept NEUTONE_NONBLOCKING {
  return state_->latency.load(std::memory_order_relaxed);
}

void Engine::set_waiting(bool is_waiting) noexcept NEUTONE_NONBLOCKING {
  state_->waits.store(is_waiting, std::memory_order_relaxed);
}

Losses Engine::losses() const noexcept NEUTONE_NONBLOCKING { return state_->counters.losses(); }

Stats Engine::stats() const noexcept { return state_->counters.stats(); }

}  // namespace neutone::engine
