// Engines that share a pool, and that come and go.

#include <array>
#include <cstddef>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "buffer.h"
#include "check.h"
#include "engine/engine.h"
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
  return run_tests({TEST(ten_engines_share_a_pool), TEST(a_thousand_engines_come_and_go),
                    TEST(a_model_and_its_pool_live_as_long_as_the_engine)});
}
