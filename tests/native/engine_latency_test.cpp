#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numbers>

#include "buffer.h"
#include "check.h"
#include "dsp/resampler.h"
#include "engine/engine.h"
#include "engine_models.h"

using namespace neutone::test;  // NOLINT(google-build-using-namespace): all of it is for these tests

namespace {

constexpr std::array kModes{LatencyMode::kBlocking, LatencyMode::kOneBlock, LatencyMode::kTwoBlocks};
constexpr std::size_t kModelBlock = 256;

std::shared_ptr<WorkerPool> pool() { return std::make_shared<WorkerPool>(1); }

// A host's blocks: largest, and whether they stay that size.
struct Cut {
  std::size_t most;
  bool is_constant;

  [[nodiscard]] NextBlock blocks() const { return is_constant ? always(most) : randomly(most, seed()); }
};
constexpr std::array kCuts{Cut{1, true},  Cut{64, true},  Cut{100, true},  Cut{256, true}, Cut{512, true},
                           Cut{1, false}, Cut{64, false}, Cut{441, false}, Cut{600, false}};

HostFormat host_of(const Cut& cut, std::int64_t rate_hz = 48'000) {
  return {.sample_rate_hz = rate_hz, .max_block_frames = cut.most, .has_constant_blocks = cut.is_constant};
}

void identity_comes_back_sample_exact_in_every_mode() {
  const auto workers = pool();
  Fence fence(workers);
  Engine engine(workers);
  engine.set_model(identity(kModelBlock));
  for (const LatencyMode mode : kModes) {
    for (const Cut& cut : kCuts) {
      engine.prepare(host_of(cut), {.latency_mode = mode});
      const std::size_t frames = 3000 / cut.most * cut.most;
      const Buffer in = noise(2, frames);
      const Buffer out(2, frames);
      play(engine, in.planar(), {}, out.planar(), cut.blocks(), &fence);
      check_delayed(in.planar(), out.planar(), engine.latency_samples());
      CHECK(engine.stats().missing_samples == 0);
      CHECK(engine.stats().late_blocks == 0);
    }
  }
}

void latency_is_what_the_modes_say() {
  Engine engine(pool());
  engine.set_model(identity(2048));
  const auto latency = [&](const Cut& cut, LatencyMode mode) {
    engine.prepare(host_of(cut), {.latency_mode = mode});
    return engine.latency_samples();
  };
  CHECK(latency({64, true}, LatencyMode::kTwoBlocks) == 2 * 2048);
  CHECK(latency({64, true}, LatencyMode::kOneBlock) == 2048);
  CHECK(latency({64, true}, LatencyMode::kBlocking) == 2048 - 64);
  CHECK(latency({2000, true}, LatencyMode::kBlocking) == 2032);
  CHECK(latency({4096, true}, LatencyMode::kBlocking) == 0);
  CHECK(latency({4096, true}, LatencyMode::kTwoBlocks) == 4096);
  CHECK(latency({8192, true}, LatencyMode::kTwoBlocks) == 8192);
  CHECK(latency({64, false}, LatencyMode::kTwoBlocks) == 2 * 2048);
  CHECK(latency({64, false}, LatencyMode::kOneBlock) == 2047 + 64);
  CHECK(latency({64, false}, LatencyMode::kBlocking) == 2047);
}

// Where rates differ the resamplers' delay comes on top, which is the same in every mode.
void latency_counts_blocks_in_samples_of_the_host() {
  constexpr std::size_t kBlock = 1024;  // in samples of the host
  constexpr std::size_t kMost = 64;
  Engine engine(pool());
  for (const std::int64_t model_hz : {24'000, 48'000, 96'000}) {
    engine.set_model(identity(kBlock * static_cast<std::size_t>(model_hz) / 48'000, model_hz));
    const auto latency = [&](LatencyMode mode) {
      engine.prepare({.max_block_frames = kMost}, {.latency_mode = mode});
      return engine.latency_samples();
    };
    const std::size_t blocking = latency(LatencyMode::kBlocking);
    CHECK(latency(LatencyMode::kOneBlock) - blocking == kMost);
    CHECK(latency(LatencyMode::kTwoBlocks) - blocking == 2 * kBlock - (kBlock - 1));
  }
}

// Plays a tone; each sample must be where the latency says, to a small part of a sample.
void check_tone(Engine& engine, Fence& fence, const Cut& cut, std::int64_t rate_hz) {
  constexpr float kTolerance = 1e-4F;  // -80 dB: what the resamplers' passbands allow; a tenth of a sample is 1e-2
  constexpr std::size_t kSettled = 1000;
  const std::size_t latency = engine.latency_samples();
  const std::size_t frames = (latency + kSettled + 700) / cut.most * cut.most;
  const Buffer tone(1, frames);
  const double step = 2.0 * std::numbers::pi * 997.0 / static_cast<double>(rate_hz);
  for (std::size_t i = 0; i < frames; ++i)
    tone.planar().data[i] = static_cast<float>(std::sin(step * static_cast<double>(i)));
  const Buffer out(2, frames);
  play(engine, {tone.planar().data, 2, frames, 0, 1}, {}, out.planar(), cut.blocks(), &fence);
  for (std::size_t i = latency + kSettled; i < frames; ++i) {
    CHECK(std::abs(at(out.planar(), 1, i) - tone.planar().data[i - latency]) < kTolerance);
  }
  CHECK(engine.stats().missing_samples == 0);
}

void latency_is_exact_at_every_pair_of_rates() {
  constexpr std::array<std::int64_t, 4> kRates{16'000, 44'100, 48'000, 96'000};
  const auto workers = pool();
  Fence fence(workers);
  Engine engine(workers);
  for (const std::int64_t model_hz : kRates) {
    engine.set_model(identity(kModelBlock, model_hz));
    for (const std::int64_t host_hz : kRates) {
      for (const LatencyMode mode : kModes) {
        for (const Cut& cut : {Cut{64, true}, Cut{333, false}}) {
          engine.prepare(host_of(cut, host_hz), {.latency_mode = mode});
          check_tone(engine, fence, cut, host_hz);
        }
      }
    }
  }
}

void a_models_own_delay_is_part_of_the_latency() {
  constexpr std::int64_t kDelay = 100;
  Engine engine(pool());
  for (const std::int64_t host_hz : {48'000, 44'100}) {
    ModelFormat format = format_of(kModelBlock);
    const auto latency = [&](std::int64_t delay) {
      format.delay_frames = delay;
      engine.set_model(std::make_shared<TestModel>(format, copy_through));
      engine.prepare({.sample_rate_hz = host_hz}, {.latency_mode = LatencyMode::kBlocking});
      return static_cast<std::int64_t>(engine.latency_samples());
    };
    const std::int64_t more = latency(kDelay) - latency(0);
    CHECK(more >= kDelay * host_hz / 48'000);
    CHECK(more <= kDelay * host_hz / 48'000 + 1);
    // It is not waited for twice: a model that says it is late, and is not, comes so much too early.
    const std::size_t declared = latency(kDelay) >= 0 ? engine.latency_samples() : 0;
    if (host_hz != 48'000) continue;
    const Buffer in = noise(2, 4'000);
    const Buffer out = played(engine, in.planar(), {}, always(512));
    check_delayed(in.planar(), out.planar(), declared - static_cast<std::size_t>(kDelay));
  }
}

}  // namespace

int main() {
  return run_tests({TEST(identity_comes_back_sample_exact_in_every_mode), TEST(latency_is_what_the_modes_say),
                    TEST(latency_counts_blocks_in_samples_of_the_host), TEST(latency_is_exact_at_every_pair_of_rates),
                    TEST(a_models_own_delay_is_part_of_the_latency)});
}
