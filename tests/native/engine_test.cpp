#include "engine/engine.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <vector>

#include "buffer.h"
#include "check.h"
#include "dsp/channels.h"
#include "dsp/resampler.h"
#include "engine_models.h"

using namespace neutone::test;  // NOLINT(google-build-using-namespace): all of it is for these tests

namespace {

constexpr std::size_t kModelBlock = 256;

std::shared_ptr<WorkerPool> pool() { return std::make_shared<WorkerPool>(1); }

// What a model was given, all of it, and back comes the audio times the first parameter.
struct Recorder {
  std::vector<std::vector<float>> audio = std::vector<std::vector<float>>(2);
  std::vector<std::vector<float>> params = std::vector<std::vector<float>>(3);

  void operator()(const Audio& in, const Audio& values, const neutone::dsp::Planar<float>& out) {
    const auto note = [](const Audio& from, auto& to) {
      for (std::size_t row = 0; row < from.channels; ++row) {
        to[row].insert(to[row].end(), from.row(row), from.row(row) + from.frames);
      }
    };
    note(in, audio);
    note(values, params);
    for (std::size_t channel = 0; channel < out.channels; ++channel) {
      for (std::size_t frame = 0; frame < out.frames; ++frame) {
        out.row(channel)[frame] = in.row(channel)[frame] * values.row(0)[frame];
      }
    }
  }
};

// Three parameters, the last of which steps.
ModelFormat format_with_params(std::int64_t rate_hz) {
  ModelFormat format = format_of(kModelBlock, rate_hz);
  format.default_params = {0.25F, 0.5F, 0.75F};
  format.are_categorical = {false, false, true};
  return format;
}

std::shared_ptr<TestModel> recording(Recorder& recorder, std::int64_t rate_hz) {
  return std::make_shared<TestModel>(format_with_params(rate_hz), std::ref(recorder));
}

Buffer curves(std::size_t rows, std::size_t frames) {
  Buffer buffer = noise(rows, frames, seed() + 1);
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t frame = 0; frame < frames; ++frame) at(buffer.planar(), row, frame) *= 1.2F;  // some out of range
  }
  return buffer;
}

void how_the_stream_is_cut_changes_no_bit() {
  constexpr std::size_t kMost = 700;
  Engine engine(pool());
  const Buffer in = noise(2, 12'000);
  const Buffer params = curves(3, 12'000);
  for (const std::int64_t host_hz : {48'000, 44'100, 47'999, 96'000}) {
    Recorder recorder;
    engine.set_model(recording(recorder, 48'000));
    const auto run = [&](const NextBlock& blocks) {
      recorder = {};
      engine.prepare({.sample_rate_hz = host_hz, .max_block_frames = kMost}, {.latency_mode = LatencyMode::kBlocking});
      return played(engine, in.planar(), params.planar(), blocks);
    };
    const Buffer whole = run(always(kMost));
    const Recorder heard = recorder;
    for (const NextBlock& blocks : {always(1), always(64), randomly(kMost, seed()), randomly(10, seed() + 1)}) {
      check_equal(run(blocks).planar(), whole.planar());
      CHECK((recorder.audio == heard.audio));
      CHECK((recorder.params == heard.params));
    }
    engine.set_model(nullptr);
  }
}

void reset_is_like_new() {
  Engine engine(pool());
  const Buffer in = noise(2, 6'000);
  const Buffer params = curves(3, 6'000);
  for (const std::int64_t host_hz : {48'000, 44'100}) {
    Recorder recorder;
    const auto model = recording(recorder, 48'000);
    engine.set_model(model);
    engine.prepare({.sample_rate_hz = host_hz, .max_block_frames = 600}, {.latency_mode = LatencyMode::kBlocking});
    const Buffer fresh = played(engine, in.planar(), params.planar(), always(441));
    const Recorder heard = recorder;
    recorder = {};
    CHECK(model->n_resets() == 0);
    engine.reset();
    engine.reset();
    check_equal(played(engine, in.planar(), params.planar(), always(333)).planar(), fresh.planar());
    CHECK(model->n_resets() == 1);
    CHECK((recorder.audio == heard.audio));
    CHECK((recorder.params == heard.params));
    engine.set_model(nullptr);
  }
}

// The same as one long signal: resampled, played by the model, and resampled back from where the latency says.
void output_is_that_of_the_offline_chain() {
  using neutone::dsp::Resampler;
  using neutone::dsp::ResamplerQuality;
  constexpr std::size_t kFrames = 9'000;
  constexpr std::int64_t kModelHz = 48'000;
  constexpr std::int64_t kHostHz = 44'100;
  Recorder recorder;
  Engine engine(pool());
  engine.set_model(recording(recorder, kModelHz));
  engine.prepare({.sample_rate_hz = kHostHz, .max_block_frames = 600}, {.latency_mode = LatencyMode::kBlocking});
  const auto latency = static_cast<std::int64_t>(engine.latency_samples());
  const Buffer in = noise(2, kFrames);
  const float half = 0.5F;
  const Buffer out = played(engine, in.planar(), {&half, 3, 1, 0, 1}, randomly(600, seed()));

  Resampler<float> to_model(kHostHz, kModelHz, ResamplerQuality::kStandard, 2);
  Resampler<float> to_host(kModelHz, kHostHz, ResamplerQuality::kStandard, 2);
  const auto up = to_model.plan().up;
  const auto down = to_model.plan().down;
  const auto half_in = static_cast<std::int64_t>(to_model.plan().half_taps);
  const auto half_out = static_cast<std::int64_t>(to_host.plan().half_taps);
  const Buffer at_model(2, 2 * kFrames);
  const std::size_t count = to_model.process(in.planar(), at_model.planar()).produced;
  const std::int64_t first = (half_in - 1) * up + (half_out - 1) * down + up - 1 - latency * up;
  CHECK(first < 0);
  const auto n_silent = static_cast<std::size_t>((-first + down - 1) / down);
  const Buffer wet(2, n_silent + count);
  for (std::size_t channel = 0; channel < 2; ++channel) {
    for (std::size_t frame = 0; frame < n_silent + count; ++frame) {
      at(wet.planar(), channel, frame) =
          frame < n_silent ? 0.0F : half * at(at_model.planar(), channel, frame - n_silent);
    }
  }
  to_host.view().start(first, static_cast<std::int64_t>(n_silent));
  const Buffer expected(2, kFrames);
  CHECK(to_host.process(wet.planar(), expected.planar()).produced == kFrames);
  check_equal(out.planar(), expected.planar());
}

// The value that belongs to a frame of the model's, as plainly as can be said.
float value_at(const Audio& params, std::size_t row, double time, bool is_stepped) {
  const auto value = [&](double frame) {
    const auto clamped = std::clamp(frame, 0.0, static_cast<double>(params.frames - 1));
    return std::clamp(at(params, row, static_cast<std::size_t>(clamped)), 0.0F, 1.0F);
  };
  const double before = std::floor(time);
  const double part = time - before;
  if (is_stepped) return value(part < 0.5 ? before : before + 1);
  return static_cast<float>((1.0 - part) * value(before) + part * value(before + 1));
}

void parameters_reach_the_frames_that_they_belong_to() {
  constexpr float kTolerance = 1e-6F;  // float against double
  constexpr std::size_t kFrames = 6'000;
  Engine engine(pool());
  for (const std::int64_t host_hz : {48'000, 44'100, 96'000}) {
    Recorder recorder;
    engine.set_model(recording(recorder, 48'000));
    engine.prepare({.sample_rate_hz = host_hz, .max_block_frames = 600}, {.latency_mode = LatencyMode::kBlocking});
    const Buffer params = curves(5, kFrames);  // two more than the model has
    static_cast<void>(played(engine, noise(2, kFrames).planar(), params.planar(), randomly(600, seed())));
    const auto ratio = static_cast<double>(host_hz) / 48'000.0;
    const double ahead = host_hz == 48'000 ? 1.0 : std::ceil(host_hz > 48'000 ? 42.0 * ratio : 42.0);
    for (std::size_t row = 0; row < 3; ++row) {
      CHECK(recorder.params[row].size() > kFrames / 3);
      for (std::size_t frame = 0; frame < recorder.params[row].size(); ++frame) {
        // Whole frames at once, so that the middle between two values is the middle in both.
        const auto steps = static_cast<double>((static_cast<std::int64_t>(frame) + 1) * host_hz);
        const double time = steps / 48'000.0 - ahead;
        const float expected = value_at(params.planar(), row, time, row == 2);
        CHECK(std::abs(recorder.params[row][frame] - expected) < kTolerance);
      }
    }
    engine.set_model(nullptr);
  }
}

void parameters_that_are_missing_keep_their_value() {
  constexpr std::size_t kFrames = 4 * kModelBlock;
  for (const std::int64_t host_hz : {48'000, 96'000}) {
    Recorder recorder;
    Engine engine(pool());
    engine.set_model(recording(recorder, 48'000));
    engine.prepare({.sample_rate_hz = host_hz, .max_block_frames = kFrames}, {.latency_mode = LatencyMode::kBlocking});
    const Buffer in = noise(2, kFrames);
    const Buffer out(2, kFrames);
    const std::array<float, 3> values{std::numeric_limits<float>::quiet_NaN(), 2.0F, 0.5F};
    engine.process(in.planar(), {}, out.planar());                               // none at all: defaults
    engine.process(in.planar(), {values.data(), 3, 1, 1, 1}, out.planar());      // not a number, too large, right
    engine.process(in.planar(), {values.data() + 1, 2, 1, 1, 1}, out.planar());  // too few rows
    const std::array<float, 3> last{recorder.params[0].back(), recorder.params[1].back(), recorder.params[2].back()};
    CHECK(recorder.params[0].front() == 0.25F);
    CHECK(recorder.params[1].front() == 0.5F);
    CHECK(recorder.params[2].front() == 0.75F);
    CHECK(last[0] == 0.25F);
    CHECK(last[1] == 1.0F);
    CHECK(last[2] == 0.5F);
    engine.reset();
    engine.process(in.planar(), {}, out.planar());
    CHECK(recorder.params[1].back() == 0.5F);
    CHECK(recorder.params[2].back() == 0.75F);
  }
}

void mono_and_stereo_fit_each_other() {
  constexpr std::size_t kFrames = 4'000;
  for (const std::int64_t model_hz : {48'000, 96'000}) {
    for (const std::size_t in_channels : {1U, 2U}) {
      for (const std::size_t model_channels : {1U, 2U}) {
        for (const std::size_t out_channels : {1U, 2U}) {
          Engine engine(pool());
          engine.set_model(identity(kModelBlock, model_hz, model_channels));
          engine.prepare({.max_block_frames = 500, .in_channels = in_channels, .out_channels = out_channels},
                         {.latency_mode = LatencyMode::kBlocking});
          const Buffer in = noise(in_channels, kFrames);
          const Buffer out(out_channels, kFrames);
          play(engine, in.planar(), {}, out.planar(), randomly(500, seed()));
          // The same by hand around a stereo engine, which does the same to equal channels.
          const Buffer fitted(model_channels, kFrames);
          neutone::dsp::fit_channels<float>(in.planar(), fitted.planar());
          const Buffer both(2, kFrames);
          neutone::dsp::fit_channels<float>(fitted.planar(), both.planar());
          Engine stereo(pool());
          stereo.set_model(identity(kModelBlock, model_hz, 2));
          stereo.prepare({.max_block_frames = 500}, {.latency_mode = LatencyMode::kBlocking});
          const Buffer wet = played(stereo, both.planar(), {}, always(500));
          const Buffer at_model(model_channels, kFrames);
          neutone::dsp::fit_channels<float>(wet.planar(), at_model.planar());
          const Buffer expected(out_channels, kFrames);
          neutone::dsp::fit_channels<float>(at_model.planar(), expected.planar());
          check_equal(out.planar(), expected.planar());
        }
      }
    }
  }
}

void layouts_and_shared_memory_make_no_difference() {
  constexpr std::size_t kFrames = 3'000;
  for (const std::int64_t model_hz : {48'000, 44'100}) {
    Engine engine(pool());
    engine.set_model(identity(kModelBlock, model_hz));
    const Buffer in = noise(2, kFrames);
    const auto start = [&] { engine.prepare({.max_block_frames = 500}, {.latency_mode = LatencyMode::kBlocking}); };
    start();
    const Buffer expected = played(engine, in.planar(), {}, always(500));
    for (const Layout layout : kLayouts) {
      start();
      const Buffer from(2, kFrames, layout);
      neutone::dsp::copy_frames<float>(in.planar(), from.planar());
      const Buffer to(2, kFrames, layout);
      play(engine, from.planar(), {}, to.planar(), randomly(500, seed()));
      check_equal(to.planar(), expected.planar());
      start();
      play(engine, from.planar(), {}, from.planar(), randomly(500, seed()));
      check_equal(from.planar(), expected.planar());
    }
  }
}

}  // namespace

int main() {
  return run_tests({TEST(how_the_stream_is_cut_changes_no_bit), TEST(reset_is_like_new),
                    TEST(output_is_that_of_the_offline_chain), TEST(parameters_reach_the_frames_that_they_belong_to),
                    TEST(parameters_that_are_missing_keep_their_value), TEST(mono_and_stereo_fit_each_other),
                    TEST(layouts_and_shared_memory_make_no_difference)});
}
