// An audio thread that plays everything, while another swaps models and a worker's model does what audio threads must
// not. Where callbacks are counted, none may be found; under RealtimeSanitizer the first one would end the program.
#include "audio_thread.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include "buffer.h"
#include "check.h"
#include "dsp/biquad.h"
#include "dsp/fir.h"
#include "dsp/parameter_smoother.h"
#include "dsp/svf.h"
#include "engine/semaphore.h"
#include "engine_models.h"

using namespace neutone::test;  // NOLINT(google-build-using-namespace): all of it is for these tests

namespace {

constexpr std::size_t kMaxBlock = 512;
constexpr std::size_t kCallbacks = 500;
constexpr std::size_t kSwaps = 30;

// As torch does in every call: allocates and locks. Now and then it throws, or returns what is not a number.
std::shared_ptr<TestModel> unsafe_model(std::int64_t rate_hz, std::size_t channels, std::size_t n_params) {
  ModelFormat format = format_of(256, rate_hz, channels);
  format.default_params.assign(n_params, 0.5F);
  format.are_categorical.assign(n_params, false);
  const auto mutex = std::make_shared<std::mutex>();
  const auto n_blocks = std::make_shared<std::size_t>(0);
  return std::make_shared<TestModel>(format,
                                     [=](const Audio& audio, const Audio&, const neutone::dsp::Planar<float>& out) {
                                       const std::scoped_lock lock(*mutex);
                                       const std::vector<float> copy(audio.row(0), audio.row(0) + audio.frames);
                                       for (std::size_t channel = 0; channel < out.channels; ++channel)
                                         std::ranges::copy(copy, out.row(channel));
                                       if (++*n_blocks % 7 == 0) throw std::runtime_error("planted");
                                       if (*n_blocks % 5 == 0) out.row(0)[0] = std::numeric_limits<float>::quiet_NaN();
                                     });
}

// Sizes of callbacks, made before the thread starts: anything from 0 to the largest, and one that is too large.
std::vector<std::size_t> block_sizes() {
  std::vector<std::size_t> sizes(kCallbacks);
  std::ranges::generate(sizes, randomly(kMaxBlock, seed()));
  sizes[kCallbacks / 2] = kMaxBlock + 1;
  return sizes;
}

struct Playing {
  LatencyMode mode;
  LateOutput late_output;
  std::int64_t host_rate_hz;
};

CallbackCounts play_and_swap(Engine& engine, const Playing& playing) {
  const HostFormat host{.sample_rate_hz = playing.host_rate_hz, .max_block_frames = kMaxBlock};
  engine.set_model(unsafe_model(48'000, 2, 2));
  engine.prepare(host, {playing.mode, playing.late_output});
  const std::vector<std::size_t> sizes = block_sizes();
  const Buffer audio = noise(2, kMaxBlock + 1);
  const Buffer params = noise(2, kMaxBlock + 1);
  std::atomic<bool> has_ended = false;
  std::thread control_thread([&] {
    for (std::size_t i = 0; i < kSwaps; ++i) {
      engine.set_model(i % 4 == 3 ? nullptr : unsafe_model(i % 2 == 0 ? 44'100 : 48'000, 1 + i % 2, i % 3));
    }
    has_ended = true;
  });
  const auto callback = [&](std::size_t i) {
    const std::size_t frames = sizes[i % kCallbacks];
    if (i % 200 == 199) engine.reset();
    engine.process(audio.first(frames), params.first(i % 2 == 0 ? 1 : frames), audio.first(frames));
    static_cast<void>(engine.latency_samples());
  };
  const CallbackCounts counts = run_audio_thread(kCallbacks, callback, [&] { return has_ended.load(); });
  control_thread.join();
  return counts;
}

void an_engine_is_safe_in_every_mode_at_any_rate_while_models_are_swapped() {
  Engine engine(std::make_shared<WorkerPool>(2));
  for (const LatencyMode mode : {LatencyMode::kTwoBlocks, LatencyMode::kOneBlock}) {
    for (const LateOutput late_output : {LateOutput::kSilence, LateOutput::kDry}) {
      for (const std::int64_t rate_hz : {44'100, 48'000}) {
        check_safe(play_and_swap(engine, {mode, late_output, rate_hz}));
        CHECK(engine.stats().callbacks >= kCallbacks);
        CHECK(engine.stats().refused_callbacks > 0);
        CHECK(engine.stats().blocks > 0);
      }
    }
  }
}

void an_engine_is_safe_while_its_worker_is_stalled() {
  neutone::engine::Semaphore goes_on;
  const auto stalled = std::make_shared<TestModel>(
      format_of(256), [&](const Audio& in, const Audio& params, const neutone::dsp::Planar<float>& out) {
        goes_on.wait();
        copy_through(in, params, out);
      });
  Engine engine(std::make_shared<WorkerPool>(1));
  engine.set_model(stalled);
  engine.prepare({.sample_rate_hz = 44'100, .max_block_frames = kMaxBlock}, {.late_output = LateOutput::kDry});
  const Buffer audio = noise(2, kMaxBlock);
  const CallbackCounts counts =
      run_audio_thread(200, [&](std::size_t) { engine.process(audio.planar(), {}, audio.planar()); });
  for (std::uint64_t block = 0; block < engine.stats().blocks; ++block) goes_on.post();
  check_safe(counts);
  CHECK(engine.stats().late_blocks > 0);
}

// All that a plugin calls there. It compiles only if that is marked, and what is not marked nobody looks at.
void use_engine(Engine& engine, const Buffer& audio) noexcept NEUTONE_NONBLOCKING {
  engine.reset();
  engine.set_waiting(false);
  engine.process(audio.planar(), {}, audio.planar());
  static_cast<void>(engine.latency_samples());
  static_cast<void>(engine.losses());
}

void an_engine_is_safe_before_it_is_prepared() {
  Engine engine(std::make_shared<WorkerPool>(1));
  const Buffer audio = noise(2, kMaxBlock);
  check_safe(run_audio_thread(3, [&](std::size_t) { use_engine(engine, audio); }));
  CHECK(engine.stats().refused_callbacks == 3);
}

void filters_are_safe() {
  const std::vector<neutone::dsp::BiquadSection> sections(5, {0.1, 0.0, 0.0, -0.9, 0.0});
  neutone::dsp::BiquadCascade biquads(sections, 2);
  neutone::dsp::Svf svf(48'000.0, 2);
  const std::vector<double> taps(3000, 1e-3);
  neutone::dsp::Fir fir(taps, 2);
  std::array<neutone::dsp::ParameterSmoother, 2> smoothers;
  const Buffer audio = noise(2, kMaxBlock);
  const Buffer curve(1, kMaxBlock);
  check_safe(run_audio_thread(100, [&](std::size_t i) {
    const auto target = static_cast<double>(i % 7);
    const auto put = [&](std::size_t frame, double value) { at(curve.planar(), 0, frame) = static_cast<float>(value); };
    smoothers[0].process(neutone::dsp::Smoothing::kLinear, 1000.0, target, kMaxBlock, put);
    smoothers[1].process(neutone::dsp::Smoothing::kOnePole, 1000.0, target, kMaxBlock, put);
    neutone::dsp::Planar<const float> control = curve.planar();
    control.channels = 2;
    control.channel_stride = 0;
    biquads.process(audio.planar(), audio.planar());
    svf.process(audio.planar(), {control, control, control, control, control}, audio.planar());
    fir.process(audio.planar(), audio.planar());
    if (i % 30 == 29) {
      biquads.reset();
      svf.reset();
      fir.reset();
    }
  }));
  CHECK(std::isfinite(at(audio.planar(), 0, 0)));
}

#ifdef NEUTONE_COUNTS_CALLBACKS
void a_worker_is_woken_for_full_blocks_only() {
  constexpr std::size_t kFrames = 300;
  Engine engine(std::make_shared<WorkerPool>(1));
  engine.set_model(identity(kFrames + 1));
  engine.prepare({.max_block_frames = 1});
  const Buffer audio = noise(2, 1);
  const auto callback = [&](std::size_t) { engine.process(audio.planar(), {}, audio.planar()); };
  CHECK(run_audio_thread(kFrames, callback).system.wakes == 0);
  CHECK(run_audio_thread(kFrames, callback).system.wakes <= 1);
  CHECK(engine.stats().blocks == 1);
}

void a_model_on_the_audio_thread_is_noticed() {
  const auto model = unsafe_model(48'000, 2, 0);
  const Buffer audio = noise(2, 256);
  const CallbackCounts counts =
      run_audio_thread(3, [&](std::size_t) { model->process(audio.planar(), {}, audio.planar()); });
  CHECK(counts.heap >= 2 * 3);
  CHECK(counts.locks == 2 * 3);
}

void the_mode_that_waits_is_noticed() {
  Engine engine(std::make_shared<WorkerPool>(1));
  engine.set_model(std::make_shared<TestModel>(
      format_of(kMaxBlock), [](const Audio& in, const Audio& params, const neutone::dsp::Planar<float>& out) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));  // or it has finished before anybody waits
        copy_through(in, params, out);
      }));
  engine.prepare({.max_block_frames = kMaxBlock}, {.latency_mode = LatencyMode::kBlocking});
  const Buffer audio = noise(2, kMaxBlock);
  const CallbackCounts counts =
      run_audio_thread(30, [&](std::size_t) { engine.process(audio.planar(), {}, audio.planar()); });
  CHECK(counts.locks > 0);
  CHECK(counts.heap == 0);
}
#endif

}  // namespace

int main() {
  return run_tests({
      TEST(an_engine_is_safe_in_every_mode_at_any_rate_while_models_are_swapped),
      TEST(an_engine_is_safe_while_its_worker_is_stalled),
      TEST(an_engine_is_safe_before_it_is_prepared),
      TEST(filters_are_safe),
#ifdef NEUTONE_COUNTS_CALLBACKS
      TEST(a_worker_is_woken_for_full_blocks_only),
      TEST(a_model_on_the_audio_thread_is_noticed),
      TEST(the_mode_that_waits_is_noticed),
#endif
  });
}
