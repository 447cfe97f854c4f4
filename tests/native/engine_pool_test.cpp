// Engines that share a pool, and that come and go.

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "buffer.h"
#include "check.h"
#include "engine/engine.h"
#include "engine/finite.h"
#include "engine/semaphore.h"
#include "engine/worker_pool_state.h"
#include "engine_models.h"

using namespace neutone::test;  // NOLINT(google-build-using-namespace): all of it is for these tests

namespace {

constexpr std::size_t kBlock = 128;
constexpr EngineSettings kWaits{.latency_mode = LatencyMode::kBlocking};

std::shared_ptr<WorkerPool> pool() { return std::make_shared<WorkerPool>(1); }

HostFormat host(std::size_t block = kBlock) { return {.max_block_frames = block, .has_constant_blocks = true}; }

// One callback of a whole block of the model's, blocking and without delay: what goes in comes out.
Buffer call(Engine& engine, const Audio& in) {
  Buffer out(2, in.frames);
  engine.process(in, {}, out.planar());
  return out;
}

// Each with its host's thread, on two workers.
void ten_engines_share_a_pool() {
  const auto workers = std::make_shared<WorkerPool>(2);
  CHECK(workers->size() == 2);
  std::array<bool, 10> are_right{};
  std::vector<std::thread> hosts;
  hosts.reserve(are_right.size());
  for (std::size_t i = 0; i < are_right.size(); ++i) {
    hosts.emplace_back([&workers, &is_right = are_right.at(i), i] {
      try {
        Engine engine(workers);
        engine.set_model(identity(64 + 10 * i));
        engine.prepare({.max_block_frames = 100}, kWaits);
        const Buffer in = noise(2, 5'000, seed() + i);
        const Buffer out(2, 5'000);
        play(engine, in.planar(), {}, out.planar(), randomly(100, seed() + i));
        check_delayed(in.planar(), out.planar(), engine.latency_samples());
        is_right = engine.stats().missing_samples == 0;
      } catch (const Failure&) {
        is_right = false;
      }
    });
  }
  for (std::thread& thread : hosts) thread.join();
  for (const bool is_right : are_right) CHECK(is_right);
}

// A block of each, although one had all of its own ready before the other.
void engines_take_turns() {
  constexpr std::size_t kBlocks = 4;
  Gate gate;
  std::string order;
  const auto workers = pool();
  const auto engine_of = [&](char name) {
    auto engine = std::make_unique<Engine>(workers);
    engine->set_model(std::make_shared<TestModel>(
        format_of(kBlock), [&gate, &order, name](const Audio&, const Audio&, const neutone::dsp::Planar<float>& out) {
          order += name;
          gate.pass();
          neutone::engine::silence(out);
        }));
    engine->prepare(host(kBlocks * kBlock));
    return engine;
  };
  const auto first = engine_of('a');
  const auto second = engine_of('b');
  const OpenAtEnd open(gate);
  const Buffer in = noise(2, kBlocks * kBlock);
  static_cast<void>(call(*second, in.planar()));
  gate.await_arrival();
  static_cast<void>(call(*first, in.planar()));
  gate.open(2 * kBlocks);
  for (std::size_t i = 1; i < 2 * kBlocks; ++i) gate.await_arrival();
  CHECK(order == "babababa");
  CHECK(first->stats().blocks == kBlocks);
}

// One block, and nobody who tells the pool.
class Waiting final : public neutone::engine::Job {
 public:
  [[nodiscard]] bool has_block() const noexcept override { return has_block_; }
  void run_block() noexcept override {
    has_block_ = false;
    done_.post();
  }
  void wait() { done_.wait(); }

 private:
  bool has_block_ = true;
  neutone::engine::Semaphore done_;
};

// As after a `prepare` that has failed. So often that the worker sleeps when it is added.
void blocks_from_before_a_job_was_added_are_run() {
  neutone::engine::Workers workers(1, neutone::engine::WorkerPriority::kOrdinary);
  for (int i = 0; i < 1000; ++i) {
    Waiting job;
    workers.add(job);
    job.wait();  // for ever, if the worker knows nothing of it
    workers.remove(job);
    CHECK(!job.has_block());
  }
}

// Knows whether it runs.
class Busy final : public neutone::engine::Model {
 public:
  explicit Busy(Gate& gate) : gate_(gate) {}
  ModelFormat configure(const HostFormat& /*host*/) override {
    was_disturbed_ = was_disturbed_ || is_running_;
    return format_of(kBlock);
  }
  void process(const Audio& audio, const Audio& params, const neutone::dsp::Planar<float>& out) override {
    is_running_ = true;
    gate_.pass();
    copy_through(audio, params, out);
    is_running_ = false;
  }
  void reset() override {}
  [[nodiscard]] bool was_disturbed() const { return was_disturbed_; }

 private:
  Gate& gate_;
  std::atomic<bool> is_running_{false};
  bool was_disturbed_ = false;
};

void a_model_is_got_ready_when_its_block_has_ended() {
  Gate gate;
  const auto model = std::make_shared<Busy>(gate);
  Engine engine(pool());
  const OpenAtEnd open(gate);
  engine.set_model(model);
  const Buffer in = noise(2, kBlock);
  for (int i = 0; i < 100; ++i) {
    engine.prepare(host());
    static_cast<void>(call(engine, in.planar()));
    gate.await_arrival();
    gate.open();  // the worker needs some time to notice
  }
  CHECK(!model->was_disturbed());
}

// With a block on its way to the worker, or running, when it ends.
void a_thousand_engines_come_and_go() {
  const auto workers = pool();
  const Buffer in = noise(2, kBlock);
  for (int i = 0; i < 1000; ++i) {
    Engine engine(workers);
    engine.set_model(identity(kBlock, i % 100 == 0 ? 44'100 : 48'000));
    engine.prepare(host());
    CHECK(engine.latency_samples() >= 2 * kBlock);
    for (int callback = 0; callback < i % 4; ++callback) static_cast<void>(call(engine, in.planar()));
  }
}

void a_model_and_its_pool_live_as_long_as_the_engine() {
  std::weak_ptr<WorkerPool> workers;
  std::weak_ptr<TestModel> model;
  {
    auto given_pool = pool();
    auto given_model = identity(kBlock);
    workers = given_pool;
    model = given_model;
    Engine engine(std::move(given_pool));
    engine.set_model(std::move(given_model));
    engine.prepare(host(), kWaits);
    const Buffer in = noise(2, kBlock);
    check_equal(call(engine, in.planar()).planar(), in.planar());
    CHECK(!workers.expired());
    CHECK(!model.expired());
  }
  CHECK(workers.expired());
  CHECK(model.expired());
}

}  // namespace

int main() {
  return run_tests({TEST(ten_engines_share_a_pool), TEST(engines_take_turns),
                    TEST(blocks_from_before_a_job_was_added_are_run),
                    TEST(a_model_is_got_ready_when_its_block_has_ended), TEST(a_thousand_engines_come_and_go),
                    TEST(a_model_and_its_pool_live_as_long_as_the_engine)});
}
