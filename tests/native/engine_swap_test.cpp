// Another model while the engine plays.

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <thread>

#include "buffer.h"
#include "check.h"
#include "engine/engine.h"
#include "engine_models.h"

using namespace neutone::test;  // NOLINT(google-build-using-namespace): all of it is for these tests
using neutone::dsp::Planar;

namespace {

constexpr std::size_t kFade = 48'000 / 50;
constexpr std::size_t kHostBlock = 100;
constexpr EngineSettings kWaits{.latency_mode = LatencyMode::kBlocking};

// The input times a gain.
std::shared_ptr<TestModel> gain_of(float gain, std::size_t block_frames) {
  return std::make_shared<TestModel>(format_of(block_frames),
                                     [gain](const Audio& audio, const Audio& /*params*/, const Planar<float>& out) {
                                       for (std::size_t channel = 0; channel < out.channels; ++channel) {
                                         for (std::size_t frame = 0; frame < out.frames; ++frame) {
                                           out.row(channel)[frame] = gain * audio.row(channel)[frame];
                                         }
                                       }
                                     });
}

// What one model contributes: input times `gain`, `latency` later, from a stream that began at frame `start`.
struct Voice {
  float gain = 0.0F;
  std::size_t latency = 0;
  std::size_t start = 0;

  [[nodiscard]] float at_frame(const Audio& in, std::size_t channel, std::size_t frame) const {
    return frame < start + latency ? 0.0F : gain * at(in, channel, frame - latency);
  }
};

// An engine that plays blocking, and all that went in and came out.
class Player {
 public:
  explicit Player(std::shared_ptr<TestModel> first) {
    engine_.set_model(std::move(first));
    engine_.prepare({.max_block_frames = kHostBlock}, kWaits);
  }

  void play(std::size_t callbacks) {
    for (std::size_t i = 0; i < callbacks; ++i, position_ += kHostBlock) {
      engine_.process(in_.planar().slice_frames(position_, kHostBlock), {},
                      out_.planar().slice_frames(position_, kHostBlock));
    }
  }
  // As long as the latency is that of the model before.
  void play_until_latency_is(std::size_t latency) {
    while (engine_.latency_samples() != latency && position_ + kHostBlock <= kFrames) play(1);
    CHECK(engine_.latency_samples() == latency);
  }
  // Fails the test unless frames `first` to `last` are those of a voice, or of one that goes over into another.
  void check_voice(std::size_t first, std::size_t last, const Voice& voice) const {
    for (std::size_t frame = first; frame < last; ++frame) {
      CHECK(at(out_.planar(), 1, frame) == voice.at_frame(in_.planar(), 1, frame));
    }
  }
  void check_fade(std::size_t begin, const Voice& from, const Voice& to) const {
    constexpr float kTolerance = 1e-6F;  // of two products and their sum
    for (std::size_t i = 0; i < kFade; ++i) {
      const float gain = static_cast<float>(i + 1) / static_cast<float>(kFade);
      const float expected =
          gain * to.at_frame(in_.planar(), 1, begin + i) + (1.0F - gain) * from.at_frame(in_.planar(), 1, begin + i);
      CHECK(std::abs(at(out_.planar(), 1, begin + i) - expected) < kTolerance);
    }
  }

  [[nodiscard]] Engine& engine() { return engine_; }
  [[nodiscard]] std::size_t position() const { return position_; }

 private:
  static constexpr std::size_t kFrames = 60'000;

  Engine engine_{std::make_shared<WorkerPool>(1)};
  Buffer in_ = noise(2, kFrames);
  Buffer out_{2, kFrames};
  std::size_t position_ = 0;
};

void a_new_model_fades_in_behind_its_latency() {
  Player player(gain_of(1.0F, 64));
  player.play(20);
  player.engine().set_model(gain_of(0.5F, 512));
  const std::size_t start = player.position();
  const Voice before{1.0F, 63, 0};
  const Voice after{0.5F, 511, start};
  CHECK(player.engine().latency_samples() == before.latency);
  player.play_until_latency_is(after.latency);
  const std::size_t begin = start + after.latency;
  CHECK(player.position() == (begin + kFade + kHostBlock - 1) / kHostBlock * kHostBlock);
  player.play(20);
  player.check_voice(0, begin, before);
  player.check_fade(begin, before, after);
  player.check_voice(begin + kFade, player.position(), after);
  CHECK(player.engine().stats().missing_samples == 0);
}

void a_fade_lasts_20_ms_at_every_rate() {
  Engine engine(std::make_shared<WorkerPool>(1));
  const Buffer frame = noise(2, 1);
  for (const std::int64_t rate_hz : {22'050, 44'100, 48'000, 96'000}) {
    engine.set_model(identity(64, rate_hz));
    engine.prepare({.sample_rate_hz = rate_hz, .max_block_frames = 1}, kWaits);
    engine.process(frame.planar(), {}, frame.planar());
    engine.set_model(nullptr);  // has no latency: the fade begins with the next frame
    std::int64_t n_frames = 0;
    for (; engine.latency_samples() != 0 && n_frames < rate_hz; ++n_frames) {
      engine.process(frame.planar(), {}, frame.planar());
    }
    CHECK(n_frames == rate_hz / 50);
  }
}

void before_any_audio_it_takes_over_at_once() {
  Player player(gain_of(1.0F, 64));
  player.engine().set_model(gain_of(0.5F, 512));
  player.play(20);
  player.check_voice(0, player.position(), {0.5F, 511, 0});
  CHECK(player.engine().latency_samples() == 511);
}

void no_model_fades_to_silence_and_back() {
  Player player(gain_of(1.0F, 64));
  player.play(20);
  player.engine().set_model(nullptr);
  const std::size_t silent = player.position();
  player.play_until_latency_is(0);
  player.play(3);
  player.engine().set_model(gain_of(0.5F, 64));
  const std::size_t start = player.position();
  player.play_until_latency_is(63);
  player.check_fade(silent, {1.0F, 63, 0}, {});
  player.check_voice(silent + kFade, start + 63, {});
  player.check_fade(start + 63, {}, {0.5F, 63, start});
}

void of_two_that_wait_the_last_one_wins() {
  Player player(gain_of(1.0F, 64));
  player.play(20);
  player.engine().set_model(gain_of(0.25F, 2048));
  player.play(5);
  player.engine().set_model(gain_of(0.5F, 512));
  const std::size_t start = player.position();
  player.play_until_latency_is(511);
  player.play(40);
  player.check_voice(0, start + 511, {1.0F, 63, 0});
  player.check_voice(start + 511 + kFade, player.position(), {0.5F, 511, start});
}

void one_that_comes_in_a_fade_follows_it() {
  Player player(gain_of(1.0F, 64));
  player.play(20);
  player.engine().set_model(gain_of(0.25F, 512));
  const std::size_t first = player.position();
  player.play(7);  // 200 frames of the fade
  player.engine().set_model(gain_of(0.5F, 128));
  player.play_until_latency_is(511);
  const std::size_t second = player.position();  // the callback after the one that the fade ends in
  player.play_until_latency_is(127);
  player.play(10);
  player.check_fade(first + 511, {1.0F, 63, 0}, {0.25F, 511, first});
  player.check_fade(second + 127, {0.25F, 511, first}, {0.5F, 127, second});
  player.check_voice(second + 127 + kFade, player.position(), {0.5F, 127, second});
}

void the_old_one_again_plays_on_as_if_nothing_had_been() {
  const auto old = gain_of(1.0F, 64);
  Player player(old);
  player.play(20);
  player.engine().set_model(old);
  player.play(1);
  player.engine().set_model(gain_of(0.5F, 2048));
  player.play(5);
  player.engine().set_model(old);
  player.play(60);
  player.check_voice(0, player.position(), {1.0F, 63, 0});
  CHECK(old->n_resets() == 0);
}

void the_old_one_again_in_a_fade_comes_back_fresh() {
  const auto old = gain_of(1.0F, 64);
  Player player(old);
  player.play(20);
  player.engine().set_model(gain_of(0.5F, 512));
  const std::size_t first = player.position();
  player.play(7);
  player.engine().set_model(old);
  player.play_until_latency_is(511);
  const std::size_t second = player.position();
  player.play_until_latency_is(63);
  player.play(10);
  player.check_fade(first + 511, {1.0F, 63, 0}, {0.5F, 511, first});
  player.check_fade(second + 63, {0.5F, 511, first}, {1.0F, 63, second});
  player.check_voice(second + 63 + kFade, player.position(), {1.0F, 63, second});
  CHECK(old->n_resets() == 1);
}

void a_reset_ends_the_fade() {
  Player player(gain_of(1.0F, 64));
  player.play(20);
  player.engine().set_model(gain_of(0.5F, 512));
  player.play(7);
  player.engine().reset();
  const std::size_t start = player.position();
  player.play(20);
  player.check_voice(start, player.position(), {0.5F, 511, start});
  CHECK(player.engine().latency_samples() == 511);
}

void with_a_reset_there_is_no_fade() {
  for (const bool is_reset_first : {true, false}) {
    Player player(gain_of(1.0F, 64));
    player.play(20);
    if (is_reset_first) player.engine().reset();
    player.engine().set_model(gain_of(0.5F, 512));
    if (!is_reset_first) player.engine().reset();
    const std::size_t start = player.position();
    player.play(20);
    player.check_voice(start, player.position(), {0.5F, 511, start});
  }
}

void one_that_cannot_get_ready_leaves_the_old_one_playing() {
  class Broken final : public neutone::engine::Model {
   public:
    ModelFormat configure(const HostFormat& /*host*/) override { throw std::runtime_error("no memory"); }
    void process(const Audio& /*audio*/, const Audio& /*params*/, const Planar<float>& /*out*/) override {}
    void reset() override {}
  };
  Player player(gain_of(1.0F, 64));
  player.play(10);
  check_throws<std::runtime_error>([&] { player.engine().set_model(std::make_shared<Broken>()); });
  player.play(40);
  player.check_voice(0, player.position(), {1.0F, 63, 0});
}

// Of whichever of the two it is missing, or of both.
void what_is_missing_in_a_fade_is_counted_once() {
  constexpr std::size_t kBlock = 64;
  constexpr std::size_t kCallbacks = 40;
  for (const bool is_old_late : {false, true}) {
    Gate gate;
    Engine engine(std::make_shared<WorkerPool>(1));
    const OpenAtEnd open(gate);
    const Buffer audio = noise(2, kBlock);
    const auto play_some = [&] {
      for (std::size_t i = 0; i < kCallbacks; ++i) engine.process(audio.planar(), {}, audio.planar());
    };
    if (is_old_late) engine.set_model(gated(gate, format_of(kBlock)));
    engine.prepare({.max_block_frames = kBlock, .has_constant_blocks = true});
    play_some();
    engine.set_model(gated(gate, format_of(kBlock)));
    play_some();
    CHECK(engine.latency_samples() == 2 * kBlock);
    CHECK(engine.stats().missing_samples == (is_old_late ? 2 : 1) * kCallbacks * kBlock - 2 * kBlock);
  }
}

// The audio thread hands them back; the next call of the control thread frees them.
void models_that_are_out_of_use_are_freed() {
  auto first = gain_of(1.0F, 64);
  auto second = gain_of(0.5F, 64);
  auto third = gain_of(0.25F, 64);
  const std::weak_ptr<TestModel> old = first;
  const std::weak_ptr<TestModel> dropped = second;
  Player player(std::move(first));
  player.play(5);
  player.engine().set_model(std::move(second));
  CHECK(!dropped.expired());
  player.engine().set_model(std::move(third));
  CHECK(dropped.expired());  // no callback has seen it
  player.play(30);
  CHECK(!old.expired());
  player.engine().set_model(nullptr);
  CHECK(old.expired());
}

// Notices two threads at once, and being freed on a thread that plays audio.
class Guarded final : public neutone::engine::Model {
 public:
  Guarded(std::atomic<int>& faults, std::size_t block_frames) : faults_(faults), block_frames_(block_frames) {}
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;
  ~Guarded() override {
    if (is_audio_thread) ++faults_;
  }
  ModelFormat configure(const HostFormat& /*host*/) override { return format_of(block_frames_); }
  void process(const Audio& audio, const Audio& /*params*/, const Planar<float>& out) override {
    enter();
    neutone::dsp::copy_frames<float>(audio, out);
    is_in_use_ = false;
  }
  void reset() override {
    enter();
    is_in_use_ = false;
  }

  static thread_local bool is_audio_thread;

 private:
  void enter() {
    if (is_in_use_.exchange(true)) ++faults_;
  }

  std::atomic<int>& faults_;
  std::size_t block_frames_;
  std::atomic<bool> is_in_use_{false};
};
thread_local bool Guarded::is_audio_thread = false;

// Three threads at once: a host, a worker, and one that never stops changing its mind.
void models_change_while_the_engine_plays() {
  constexpr int kChanges = 300;
  std::atomic<int> faults{0};
  std::atomic<bool> is_over{false};
  Engine engine(std::make_shared<WorkerPool>(2));
  engine.set_model(std::make_shared<Guarded>(faults, 64));
  engine.prepare({.max_block_frames = 64});
  std::thread host([&] {
    Guarded::is_audio_thread = true;
    std::mt19937_64 random(seed());
    const Buffer in = noise(2, 64, seed());
    const Buffer out(2, 64);
    while (!is_over) {
      const std::size_t frames = random() % 65;
      engine.process(in.first(frames), {}, out.first(frames));
      for (std::size_t frame = 0; frame < frames; ++frame) {
        if (!(std::abs(at(out.planar(), 0, frame)) <= 1.0F)) ++faults;
      }
      if (random() % 500 == 0) engine.reset();
    }
  });
  std::mt19937_64 random(seed() + 1);
  std::shared_ptr<Guarded> kept = std::make_shared<Guarded>(faults, 32);
  std::uint64_t n_callbacks = 0;
  for (int i = 0; i < kChanges; ++i) {
    const std::size_t kind = random() % 8;
    if (kind == 0) kept = std::make_shared<Guarded>(faults, 16 + random() % 100);
    std::shared_ptr<Guarded> next = kept;
    if (kind == 3) next = nullptr;
    if (kind > 3) next = std::make_shared<Guarded>(faults, 16 + random() % 100);
    engine.set_model(std::move(next));
    if (engine.latency_samples() > 1000) ++faults;
    const std::uint64_t until = n_callbacks + random() % 40;  // some hear nothing of it, some all of the fade
    while ((n_callbacks = engine.stats().callbacks) < until) std::this_thread::yield();
  }
  is_over = true;
  host.join();
  CHECK(faults == 0);
  CHECK(engine.stats().failed_blocks == 0);
}

// The host's main thread and one that loads: the engine has one lock for both.
void two_threads_may_change_the_model() {
  Engine engine(std::make_shared<WorkerPool>(1));
  engine.prepare({.max_block_frames = 64});
  const auto change = [&engine] {
    for (int i = 0; i < 300; ++i) engine.set_model(identity(64));
  };
  std::thread other(change);
  change();
  other.join();
  const auto last = identity(64);
  engine.set_model(last);
  CHECK(engine.latency_samples() == 0);  // nothing has been played yet
  const Buffer audio = noise(2, 64);
  engine.process(audio.planar(), {}, audio.planar());
  CHECK(engine.latency_samples() == 128);
  CHECK(last.use_count() > 1);
}

}  // namespace

int main() {
  return run_tests({TEST(a_new_model_fades_in_behind_its_latency), TEST(a_fade_lasts_20_ms_at_every_rate),
                    TEST(before_any_audio_it_takes_over_at_once), TEST(no_model_fades_to_silence_and_back),
                    TEST(of_two_that_wait_the_last_one_wins), TEST(one_that_comes_in_a_fade_follows_it),
                    TEST(the_old_one_again_plays_on_as_if_nothing_had_been),
                    TEST(the_old_one_again_in_a_fade_comes_back_fresh), TEST(a_reset_ends_the_fade),
                    TEST(with_a_reset_there_is_no_fade), TEST(one_that_cannot_get_ready_leaves_the_old_one_playing),
                    TEST(what_is_missing_in_a_fade_is_counted_once), TEST(models_that_are_out_of_use_are_freed),
                    TEST(two_threads_may_change_the_model), TEST(models_change_while_the_engine_plays)});
}
