// Neither thread of an engine's computes with denormal numbers, which can take a hundred times as long as others, and
// the host finds its own mode again. The filters' own tests look at their states.
#include "denormals.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "buffer.h"
#include "check.h"
#include "engine_models.h"

using namespace neutone::test;  // NOLINT(google-build-using-namespace): all of it is for these tests

namespace {

constexpr std::size_t kBlock = 256;

HostFormat host_at(std::int64_t rate_hz) { return {.sample_rate_hz = rate_hz, .max_block_frames = kBlock}; }

void a_model_runs_with_denormals_flushed_and_the_host_keeps_its_own_mode() {
  bool model_flushes = false;
  const auto model = std::make_shared<TestModel>(
      format_of(kBlock), [&](const Audio& in, const Audio& params, const neutone::dsp::Planar<float>& out) {
        model_flushes = flushes_to_zero();
        copy_through(in, params, out);
      });
  Engine engine(std::make_shared<WorkerPool>(1));
  engine.set_model(model);
  engine.prepare(host_at(48'000), {.latency_mode = LatencyMode::kBlocking});
  const Buffer audio = noise(2, kBlock);
  engine.process(audio.planar(), {}, audio.planar());
  engine.process(audio.planar(), {}, audio.planar());
  CHECK(model_flushes);
  CHECK(!flushes_to_zero());
}

// So small that what the resamplers make of it, there and back, is denormal but for a few samples.
void what_fades_away_after_an_impulse_is_silence_at_last() {
  Engine engine(std::make_shared<WorkerPool>(1));
  engine.set_model(identity(kBlock, 48'000));
  engine.prepare(host_at(44'100), {.latency_mode = LatencyMode::kBlocking});
  std::size_t n_heard = 0;
  for (std::size_t callback = 0; callback < 20; ++callback) {
    const Buffer audio(2, kBlock);
    for (std::size_t frame = 0; frame < kBlock; ++frame)
      at(audio.planar(), 0, frame) = at(audio.planar(), 1, frame) = 0.0F;
    if (callback == 0) at(audio.planar(), 0, 0) = 4.0F * std::numeric_limits<float>::min();
    engine.process(audio.planar(), {}, audio.planar());
    for (std::size_t frame = 0; frame < kBlock; ++frame) {
      const int kind = std::fpclassify(at(audio.planar(), 0, frame));
      CHECK(kind != FP_SUBNORMAL);
      if (kind == FP_NORMAL) ++n_heard;
    }
  }
  CHECK(n_heard > 0);
  CHECK(n_heard < 20);
}

}  // namespace

int main() {
  return run_tests({TEST(a_model_runs_with_denormals_flushed_and_the_host_keeps_its_own_mode),
                    TEST(what_fades_away_after_an_impulse_is_silence_at_last)});
}
