#include <algorithm>
#include <cmath>
#include <iomanip>
#include <iostream>
#include <memory>
#include <random>
#include <thread>

#include "engine/device_clock.h"
#include "host/command/audio_file.h"
#include "host/command/commands.h"
#include "host/command/playing.h"

namespace neutone::host {
namespace {

using engine::DeviceClock;
using engine::Engine;

// One plugin of a session.
struct Instance {
  std::shared_ptr<Model> model;
  std::unique_ptr<Engine> engine;
  std::vector<float> knobs;
};

std::vector<Instance> open_instances(const SoakOptions& options) {
  const auto pool = std::make_shared<engine::WorkerPool>(options.threads);
  std::vector<Instance> instances;
  for (std::size_t i = 0; i < options.instances; ++i) {
    auto model = std::make_shared<Model>(options.model);
    auto engine = std::make_unique<Engine>(pool);
    engine->set_model(model);
    engine->prepare({.sample_rate_hz = options.sample_rate_hz, .max_block_frames = options.buffer_frames},
                    {.latency_mode = options.mode});
    std::vector<float> knobs = knob_positions(model->metadata(), {});
    instances.push_back({std::move(model), std::move(engine), std::move(knobs)});
  }
  return instances;
}

Clip noise(const SoakOptions& options) {
  Clip clip(options.sample_rate_hz, 2, options.buffer_frames);
  std::mt19937 random(0);  // NOLINT(*-msc32-c,*-msc51-cpp,bugprone-random-generator-seed): the same noise in every run
  std::uniform_real_distribution<float> uniform(-0.25F, 0.25F);
  std::ranges::generate(clip.samples, [&] { return uniform(random); });
  return clip;
}

// All instances in turn, whenever a buffer's time is over, as a DAW that has them on one track.
void play_in_real_time(std::vector<Instance>& instances, const SoakOptions& options, DeviceClock& clock) {
  const Clip in = noise(options);
  Clip out(options.sample_rate_hz, 2, options.buffer_frames);
  std::thread audio([&] {
    clock.run([&](std::size_t /*index*/) {
      for (Instance& instance : instances) {
        instance.engine->process(in.rows(), as_params(instance.knobs), out.rows());
      }
    });
  });
  audio.join();
}

// The least duration that so many callbacks keep to, of sorted ones.
double percentile(const std::vector<double>& sorted, double share) {
  const auto count = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::max<std::size_t>(count, 1) - 1];
}

engine::Stats total(const std::vector<Instance>& instances) {
  engine::Stats sum;
  for (const Instance& instance : instances) {
    const engine::Stats stats = instance.engine->stats();
    sum.blocks += stats.blocks;
    sum.late_blocks += stats.late_blocks;
    sum.missing_samples += stats.missing_samples;
    sum.failed_blocks += stats.failed_blocks;
    sum.muted_blocks += stats.muted_blocks;
    sum.worker_p50_us = std::max(sum.worker_p50_us, stats.worker_p50_us);
    sum.worker_p99_us = std::max(sum.worker_p99_us, stats.worker_p99_us);
    sum.worker_max_us = std::max(sum.worker_max_us, stats.worker_max_us);
  }
  return sum;
}

void print_setting(const Instance& instance, const SoakOptions& options, const DeviceClock& clock) {
  const std::size_t latency = instance.engine->latency_samples();
  const auto rate_hz = static_cast<double>(options.sample_rate_hz);
  const engine::ModelFormat& format = instance.model->format();
  std::cout << std::fixed << std::setprecision(1) << printable(instance.model->metadata().name) << ": "
            << options.instances << " x " << format.block_frames << " samples at " << format.sample_rate_hz
            << " Hz, latency " << latency << " samples (" << 1e3 * static_cast<double>(latency) / rate_hz << " ms)\n"
            << "audio thread  "
            << (clock.has_realtime_priority() ? "SCHED_FIFO, priority " + std::to_string(DeviceClock::kPriority)
                                              : "of normal priority: " + clock.refusal())
            << "\n";
}

void print_figures(const SoakOptions& options, const DeviceClock& clock, const engine::Stats& stats) {
  std::vector<double> callback_us;
  for (const std::int64_t duration_ns : clock.durations_ns()) {
    callback_us.push_back(1e-3 * static_cast<double>(duration_ns));
  }
  std::ranges::sort(callback_us);
  const double deadline_us =
      1e6 * static_cast<double>(options.buffer_frames) / static_cast<double>(options.sample_rate_hz);
  std::cout << "callbacks     " << callback_us.size() << " of " << options.buffer_frames << " samples, deadline "
            << deadline_us << " us, overrun " << clock.n_overruns() << "\n"
            << "callback us   p50 " << percentile(callback_us, 0.5) << ", p99 " << percentile(callback_us, 0.99)
            << ", p99.9 " << percentile(callback_us, 0.999) << ", max " << callback_us.back() << "\n"
            << "worker us     p50 " << stats.worker_p50_us << ", p99 " << stats.worker_p99_us << ", max "
            << stats.worker_max_us << " a block\n"
            << "late blocks   " << stats.late_blocks << " of " << stats.blocks << "\n"
            << "failed blocks " << stats.failed_blocks << ", muted " << stats.muted_blocks << "\n"
            << "missing       " << stats.missing_samples << " samples\n";
}

}  // namespace

bool soak(const SoakOptions& options) {
  std::vector<Instance> instances = open_instances(options);
  const double callbacks =
      options.seconds * static_cast<double>(options.sample_rate_hz) / static_cast<double>(options.buffer_frames);
  DeviceClock clock(options.sample_rate_hz, options.buffer_frames,
                    std::max<std::size_t>(1, static_cast<std::size_t>(callbacks)));
  play_in_real_time(instances, options, clock);
  const engine::Stats stats = total(instances);
  print_setting(instances.front(), options, clock);
  print_figures(options, clock, stats);
  return stats.missing_samples == 0 && stats.failed_blocks == 0;
}

}  // namespace neutone::host
