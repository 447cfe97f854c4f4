// Hosts and models that do what they should not.

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <stdexcept>
#include <vector>

#include "buffer.h"
#include "check.h"
#include "denormals.h"
#include "dsp/flush_to_zero.h"
#include "engine/engine.h"
#include "engine_models.h"

using namespace neutone::test;  // NOLINT(google-build-using-namespace): all of it is for these tests
using neutone::dsp::Planar;

namespace {

constexpr std::size_t kBlock = 128;
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr EngineSettings kWaits{.latency_mode = LatencyMode::kBlocking};

std::shared_ptr<WorkerPool> pool() { return std::make_shared<WorkerPool>(1); }

HostFormat host(std::size_t block = kBlock) { return {.max_block_frames = block, .has_constant_blocks = true}; }

// One callback of a whole block of the model's, blocking and without delay: what goes in comes out.
Buffer call(Engine& engine, const Audio& in) {
  Buffer out(2, in.frames);
  engine.process(in, {}, out.planar());
  return out;
}

void check_silent(const Audio& audio) { check_delayed(audio, audio, audio.frames); }

void process_before_prepare_is_silence_and_counted() {
  Engine engine(pool());
  const Buffer in = noise(2, kBlock);
  check_silent(call(engine, in.planar()).planar());
  CHECK(engine.stats().refused_callbacks == 1);
  CHECK(engine.stats().callbacks == 1);
  CHECK(engine.latency_samples() == 0);
  engine.reset();
  engine.set_model(identity(kBlock));
  check_silent(call(engine, in.planar()).planar());
  engine.prepare(host(), kWaits);
  CHECK(engine.stats().refused_callbacks == 0);
  check_equal(call(engine, in.planar()).planar(), in.planar());
}

void without_a_model_there_is_silence() {
  Engine engine(pool());
  engine.prepare(host());
  CHECK(engine.latency_samples() == 0);
  check_silent(call(engine, noise(2, kBlock).planar()).planar());
  CHECK(engine.stats().missing_samples == 0);
  CHECK(engine.stats().refused_callbacks == 0);
}

void a_block_that_is_too_large_is_silence_and_the_stream_goes_on() {
  Engine engine(pool());
  engine.set_model(identity(kBlock));
  engine.prepare({.max_block_frames = 100}, kWaits);
  const Buffer in = noise(2, 1000);
  const Buffer out(2, 1000);
  play(engine, in.planar().slice_frames(0, 500), {}, out.planar().slice_frames(0, 500), always(100));
  check_silent(call(engine, noise(2, 101).planar()).planar());
  CHECK(engine.stats().refused_callbacks == 1);
  play(engine, in.planar().slice_frames(500, 500), {}, out.planar().slice_frames(500, 500), always(100));
  check_delayed(in.planar(), out.planar(), engine.latency_samples());
}

void channels_that_were_not_prepared_for_are_silence() {
  Engine engine(pool());
  engine.set_model(identity(kBlock));
  engine.prepare(host(), kWaits);
  const Buffer in = noise(2, kBlock);
  const Buffer out = noise(2, kBlock);
  engine.process(in.planar().slice_channels(0, 1), {}, out.planar());
  check_silent(out.planar());
  engine.process(in.planar(), {}, out.planar().slice_channels(0, 1));
  engine.process({}, {}, {});
  CHECK(engine.stats().refused_callbacks == 3);
}

void as_many_frames_go_out_as_come_in_or_none() {
  Engine engine(pool());
  engine.set_model(identity(kBlock));
  engine.prepare(host(), kWaits);
  const Buffer in = noise(2, kBlock);
  const Buffer out = noise(2, kBlock);
  engine.process(in.first(kBlock - 1), {}, out.planar());
  check_silent(out.planar());
  engine.process(in.planar(), {}, out.first(kBlock - 1));
  CHECK(engine.stats().refused_callbacks == 2);
  check_equal(call(engine, in.planar()).planar(), in.planar());
}

void callbacks_without_frames_change_nothing() {
  Engine engine(pool());
  engine.set_model(identity(kBlock));
  engine.prepare({.max_block_frames = kBlock}, kWaits);
  const Buffer in = noise(2, 2000);
  const Buffer out(2, 2000);
  play(engine, in.planar(), {}, out.planar(), [zero = false]() mutable {
    zero = !zero;
    return zero ? std::size_t{0} : 77;
  });
  check_delayed(in.planar(), out.planar(), engine.latency_samples());
  CHECK(engine.stats().callbacks == 2 * 26);
}

// A model that throws, or returns something, when it is told to.
struct Moody {
  bool throws = false;
  bool throws_in_reset = false;
  float adds = 0.0F;  // to one sample
  std::size_t channel = 0;
  std::size_t calls = 0;
  std::size_t resets = 0;
};

class MoodyModel final : public neutone::engine::Model {
 public:
  explicit MoodyModel(Moody& mood) : mood_(mood) {}
  ModelFormat configure(const HostFormat& /*host*/) override { return format_of(kBlock); }
  void process(const Audio& audio, const Audio& /*params*/, const Planar<float>& out) override {
    ++mood_.calls;
    if (mood_.throws) throw 7;  // NOLINT(*-exception-baseclass): a model may throw anything
    neutone::dsp::copy_frames<float>(audio, out);
    out.row(mood_.channel)[kBlock / 2] += mood_.adds;
  }
  void reset() override {
    ++mood_.resets;
    if (mood_.throws_in_reset) throw std::runtime_error("no");
  }

 private:
  Moody& mood_;
};

void a_model_that_throws_is_silent_until_reset() {
  Moody mood;
  Engine engine(pool());
  engine.set_model(std::make_shared<MoodyModel>(mood));
  engine.prepare(host(), kWaits);
  const Buffer in = noise(2, kBlock);
  check_equal(call(engine, in.planar()).planar(), in.planar());
  mood.throws = true;
  check_silent(call(engine, in.planar()).planar());
  mood.throws = false;
  check_silent(call(engine, in.planar()).planar());
  CHECK(mood.calls == 2);
  CHECK(engine.stats().failed_blocks == 1);
  CHECK(engine.stats().missing_samples == 0);
  mood.throws_in_reset = true;
  engine.reset();
  check_silent(call(engine, in.planar()).planar());
  CHECK(engine.stats().failed_blocks == 2);
  mood.throws_in_reset = false;
  check_silent(call(engine, in.planar()).planar());
  engine.reset();
  check_equal(call(engine, in.planar()).planar(), in.planar());
  CHECK(engine.stats().failed_blocks == 2);
  CHECK(mood.resets == 2);
}

void numbers_that_are_not_finite_are_muted_and_the_model_reset() {
  Moody mood;
  Engine engine(pool());
  engine.set_model(std::make_shared<MoodyModel>(mood));
  engine.prepare(host(), kWaits);
  const Buffer in = noise(2, kBlock);
  for (const float value : {kNan, kInfinity, -kInfinity}) {
    mood.adds = value;
    mood.channel = 1 - mood.channel;
    check_silent(call(engine, in.planar()).planar());
    mood.adds = 0.0F;
    check_equal(call(engine, in.planar()).planar(), in.planar());
  }
  CHECK(engine.stats().muted_blocks == 3);
  CHECK(engine.stats().failed_blocks == 0);
  CHECK(engine.stats().missing_samples == 0);
  CHECK(mood.resets == 3);
}

void input_that_is_not_finite_is_silence_and_leaves_nothing_behind() {
  for (const std::int64_t model_hz : {48'000, 44'100}) {
    Engine engine(pool());
    engine.set_model(identity(kBlock, model_hz));
    const Buffer in = noise(2, 4'000);
    const Buffer muted = noise(2, 4'000);
    for (const std::size_t frame : {std::size_t{0}, std::size_t{500}, std::size_t{501}, std::size_t{1700}}) {
      at(in.planar(), frame % 2, frame) = frame == 500 ? kNan : kInfinity;
      at(muted.planar(), frame % 2, frame) = 0.0F;
    }
    const auto run = [&](const Audio& audio) {
      engine.prepare({.max_block_frames = 300}, kWaits);
      Buffer out(2, 4'000);
      play(engine, audio, {}, out.planar(), always(300));
      return out;
    };
    check_equal(run(in.planar()).planar(), run(muted.planar()).planar());
    CHECK(engine.stats().muted_blocks == 0);
  }
}

void the_dry_signal_is_finite_too() {
  Gate gate;
  Engine engine(pool());
  const OpenAtEnd open(gate);
  engine.set_model(gated(gate, format_of(kBlock)));
  engine.prepare(host(), {.latency_mode = LatencyMode::kOneBlock, .late_output = LateOutput::kDry});
  const Buffer in = noise(2, kBlock);
  at(in.planar(), 0, 100) = kNan;
  for (int i = 0; i < 3; ++i) {
    const Buffer out = call(engine, in.planar());
    for (std::size_t frame = 0; frame < kBlock; ++frame) CHECK(std::isfinite(at(out.planar(), 0, frame)));
  }
  CHECK(engine.stats().missing_samples == 2 * kBlock);
}

void formats_that_make_no_sense_are_refused_and_the_engine_plays_on() {
  Engine engine(pool());
  engine.set_model(identity(kBlock));
  engine.prepare(host(), kWaits);
  const Buffer in = noise(2, kBlock);
  const auto still_plays = [&] { check_equal(call(engine, in.planar()).planar(), in.planar()); };
  still_plays();
  for (const HostFormat& wrong :
       {HostFormat{.sample_rate_hz = 0}, HostFormat{.sample_rate_hz = 1'000'000}, HostFormat{.max_block_frames = 0},
        HostFormat{.max_block_frames = std::size_t{1} << 62U}, HostFormat{.in_channels = 0},
        HostFormat{.out_channels = 3}, HostFormat{.sample_rate_hz = 100}}) {  // the last: over 256 times the model's
    check_throws<std::invalid_argument>([&] { engine.prepare(wrong, kWaits); });
    still_plays();
  }
  std::vector<ModelFormat> formats(7, format_of(kBlock));
  formats[0].sample_rate_hz = -1;
  formats[1].block_frames = 0;
  formats[2].in_channels = 3;
  formats[3].out_channels = 0;
  formats[4].delay_frames = -1;
  formats[5].default_params = {0.5F};  // without saying whether it is categorical
  formats[6].default_params = {kNan};
  formats[6].are_categorical = {false};
  for (const ModelFormat& format : formats) {
    const auto model = std::make_shared<TestModel>(format, copy_through);
    check_throws<std::invalid_argument>([&] { engine.set_model(model); });
    still_plays();
  }
  engine.prepare(host(), kWaits);  // with the model that it has, not with those that it would not take
  still_plays();
  // NOLINTBEGIN(clang-analyzer-optin.core.EnumCastOutOfRange): none of the choices, on purpose
  for (const EngineSettings& wrong : {EngineSettings{.latency_mode = static_cast<LatencyMode>(3)},
                                      EngineSettings{.late_output = static_cast<LateOutput>(2)}}) {
    // NOLINTEND(clang-analyzer-optin.core.EnumCastOutOfRange)
    check_throws<std::invalid_argument>([&] { engine.prepare(host(), wrong); });
    still_plays();
  }
  check_throws<std::invalid_argument>([] { const WorkerPool none(0); });
  check_throws<std::invalid_argument>([] { const Engine none(nullptr); });
}

// A model that cannot get ready for a rate.
class Picky final : public neutone::engine::Model {
 public:
  ModelFormat configure(const HostFormat& host) override {
    configured_hz = host.sample_rate_hz;
    if (host.sample_rate_hz > most_hz) throw std::runtime_error("too fast");
    return format_of(kBlock, host.sample_rate_hz);
  }
  void process(const Audio& audio, const Audio& /*params*/, const Planar<float>& out) override {
    neutone::dsp::copy_frames<float>(audio, out);
  }
  void reset() override {}

  std::int64_t most_hz = 48'000;
  std::int64_t configured_hz = 0;
};

void a_model_that_cannot_get_ready_leaves_everything_as_it_was() {
  const auto model = std::make_shared<Picky>();
  Engine engine(pool());
  engine.set_model(model);
  check_throws<std::runtime_error>([&] { engine.prepare({.sample_rate_hz = 96'000}); });
  engine.prepare(host(), kWaits);
  const Buffer in = noise(2, kBlock);
  check_equal(call(engine, in.planar()).planar(), in.planar());
  check_throws<std::runtime_error>([&] { engine.prepare({.sample_rate_hz = 96'000}); });
  CHECK(model->configured_hz == 48'000);
  check_equal(call(engine, in.planar()).planar(), in.planar());
  // If it cannot even go back, there is silence; nobody waits for it.
  model->most_hz = 0;
  check_throws<std::runtime_error>([&] { engine.prepare({.sample_rate_hz = 96'000}); });
  check_silent(call(engine, in.planar()).planar());
  model->most_hz = 48'000;
  engine.prepare(host(), kWaits);
  check_equal(call(engine, in.planar()).planar(), in.planar());
}

void a_prepare_that_fails_is_not_heard() {
  Engine engine(pool());
  engine.set_model(std::make_shared<Picky>());
  engine.prepare({.max_block_frames = 100}, kWaits);
  const Buffer in = noise(2, 1000);
  const Buffer out(2, 1000);
  play(engine, in.first(500), {}, out.first(500), always(100));
  engine.process({}, {}, {});
  check_throws<std::runtime_error>([&] { engine.prepare({.sample_rate_hz = 96'000, .max_block_frames = 50}); });
  CHECK(engine.latency_samples() == kBlock - 1);
  play(engine, in.planar().slice_frames(500, 500), {}, out.planar().slice_frames(500, 500), always(100));
  check_delayed(in.planar(), out.planar(), kBlock - 1);
  CHECK(engine.stats().callbacks == 11);
  CHECK(engine.stats().blocks == 1000 / kBlock);
  CHECK(engine.stats().refused_callbacks == 1);
  // What comes next is got ready as if it had not been tried.
  engine.set_model(identity(2 * kBlock));
  engine.reset();
  engine.process(in.first(100), {}, out.first(100));
  CHECK(engine.latency_samples() == 2 * kBlock - 1);
}

void a_host_that_breaks_its_promise_misses_samples_and_they_are_counted() {
  Engine engine(pool());
  engine.set_model(identity(256));
  engine.prepare(host(64), kWaits);
  CHECK(engine.latency_samples() == 192);
  const Buffer in = noise(2, 20'000);
  const Buffer out(2, 20'000);
  play(engine, in.planar(), {}, out.planar(), randomly(64, seed()));
  const Buffer right(2, 20'000);
  for (std::size_t frame = 0; frame < 20'000; ++frame) {
    for (std::size_t channel = 0; channel < 2; ++channel) {
      at(right.planar(), channel, frame) = frame < 192 ? 0.0F : at(in.planar(), channel, frame - 192);
    }
  }
  CHECK(engine.stats().missing_samples > 0);
  CHECK(n_different(out.planar(), right.planar()) == engine.stats().missing_samples);
}

void rates_and_blocks_may_change_between_callbacks() {
  Engine engine(pool());
  engine.set_model(identity(kBlock, 48'000));
  std::mt19937_64 random(seed());
  for (int i = 0; i < 60; ++i) {
    constexpr std::array<std::int64_t, 4> kRates{22'050, 44'100, 48'000, 96'000};
    const std::int64_t rate_hz = kRates.at(random() % kRates.size());
    const std::size_t block = 1 + random() % 600;
    engine.prepare({.sample_rate_hz = rate_hz, .max_block_frames = block}, kWaits);
    const Buffer in = noise(2, 1500);
    const Buffer out(2, 1500);
    play(engine, in.planar(), {}, out.planar(), randomly(block, seed()));
    if (rate_hz == 48'000) check_delayed(in.planar(), out.planar(), engine.latency_samples());
    CHECK(engine.stats().missing_samples == 0);
  }
}

void denormals_are_zero_on_both_threads() {
  {
    const neutone::dsp::ScopedFlushToZero flush;
    if (!flushes_to_zero()) return;  // not on this processor
  }
  bool worker_flushes = false;
  Engine engine(pool());
  ModelFormat format = format_of(kBlock, 44'100);
  engine.set_model(
      std::make_shared<TestModel>(format, [&](const Audio& audio, const Audio& /*params*/, const Planar<float>& out) {
        worker_flushes = flushes_to_zero();
        neutone::dsp::copy_frames<float>(audio, out);
      }));
  engine.prepare({.max_block_frames = 500}, kWaits);
  const float denormal = 1e-39F;
  const Buffer out(2, 2000);
  play(engine, {&denormal, 2, 2000, 0, 0}, {}, out.planar(), always(500));
  CHECK(worker_flushes);
  CHECK(!flushes_to_zero());
  check_silent(out.planar());  // where a filter had met denormal numbers, it would have passed them on
}

}  // namespace

int main() {
  return run_tests(
      {TEST(process_before_prepare_is_silence_and_counted), TEST(without_a_model_there_is_silence),
       TEST(a_block_that_is_too_large_is_silence_and_the_stream_goes_on),
       TEST(channels_that_were_not_prepared_for_are_silence), TEST(as_many_frames_go_out_as_come_in_or_none),
       TEST(callbacks_without_frames_change_nothing), TEST(a_model_that_throws_is_silent_until_reset),
       TEST(numbers_that_are_not_finite_are_muted_and_the_model_reset),
       TEST(input_that_is_not_finite_is_silence_and_leaves_nothing_behind), TEST(the_dry_signal_is_finite_too),
       TEST(formats_that_make_no_sense_are_refused_and_the_engine_plays_on),
       TEST(a_model_that_cannot_get_ready_leaves_everything_as_it_was), TEST(a_prepare_that_fails_is_not_heard),
       TEST(a_host_that_breaks_its_promise_misses_samples_and_they_are_counted),
       TEST(rates_and_blocks_may_change_between_callbacks), TEST(denormals_are_zero_on_both_threads)});
}
