// Passing a block of 2 x 512 floats through a ring.
//
// On one thread: write and read, beside copying the same bytes into and out of memory of the same size, which is the
// least that a buffer in between can cost. Between two threads: the time that one block of a busy stream takes.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <thread>

#include "dsp/spsc_ring.h"
#include "suite.h"
#include "threads.h"

#ifdef NEUTONE_HAS_BOOST
#include <boost/lockfree/policies.hpp>
#include <boost/lockfree/spsc_queue.hpp>
#endif

namespace neutone::bench {
namespace {

constexpr std::size_t kChannels = 2;
constexpr std::size_t kFrames = 512;
constexpr std::size_t kBlock = kChannels * kFrames;
constexpr std::size_t kCapacityFrames = 8192;
constexpr std::size_t kPageFloats = 4096 / sizeof(float);

// The caller's blocks. Where they lie in a page, beside where the ring's memory does, changes the cost of a copy by a
// quarter; so each round has them elsewhere, at the same places for every case.
class Blocks {
 public:
  // No divisor of the blocks that fit into a ring: a slot never gets again what it holds already.
  static constexpr std::size_t kInputs = 5;

  void move_to(std::size_t round) {
    in_ = std::span(memory_).subspan((round % kLines) * kLine, kInputs * kBlock);
    out_ = std::span(memory_).subspan((kInputs + 1) * kPageFloats + ((round * 7 + round / kLines) % kLines) * kLine,
                                      kBlock);
    std::iota(in_.begin(), in_.end(), 1.0F);
  }
  [[nodiscard]] const float* in(std::size_t i) const { return in_.data() + (i % kInputs) * kBlock; }
  [[nodiscard]] float* out() const { return out_.data(); }
  [[nodiscard]] bool arrived(std::size_t i) const { return out_[0] == in(i)[0] && out_.back() == in(i)[kBlock - 1]; }

 private:
  static constexpr std::size_t kLine = dsp::kCacheLineBytes / sizeof(float);
  static constexpr std::size_t kLines = kPageFloats / kLine;
  alignas(4096) std::array<float, (kInputs + 3) * kPageFloats> memory_{};
  std::span<float> in_;
  std::span<float> out_;
};
static_assert(kBlock == kPageFloats);

// The ways to pass frames. Each takes what fits or is there, from frame `from` of a block on, and says how many frames.

class Memcpys {
 public:
  std::size_t send(const float* block, std::size_t /*from*/) {
    std::memcpy(memory_.data() + place_, block, bytes_);
    return kFrames;
  }
  std::size_t receive(float* block, std::size_t /*from*/) {
    std::memcpy(block, memory_.data() + place_, bytes_);
    place_ = (place_ + kBlock) % memory_.size();
    return kFrames;
  }

 private:
  // No constant for the compiler, which would replace the library's memcpy by slower instructions of its own.
  volatile std::size_t bytes_ = kBlock * sizeof(float);
  std::size_t place_ = 0;
  alignas(dsp::kCacheLineBytes) std::array<float, kChannels * kCapacityFrames> memory_{};
};

class Ours {
 public:
  std::size_t send(const float* block, std::size_t from) {
    return ring_->write({block + from, kChannels, kFrames - from, kFrames, 1});
  }
  std::size_t receive(float* block, std::size_t from) {
    return ring_->read({block + from, kChannels, kFrames - from, kFrames, 1});
  }

 private:
  dsp::SpscRing<float> ring_{kChannels, kCapacityFrames};
};

#ifdef NEUTONE_HAS_BOOST
// A queue of single floats, so the frames are interleaved. Its faster form, whose capacity the compiler knows.
class Boosts {
 public:
  std::size_t send(const float* block, std::size_t from) {
    return queue_.push(block + (kChannels * from), kChannels * (kFrames - from)) / kChannels;
  }
  std::size_t receive(float* block, std::size_t from) {
    return queue_.pop(block + (kChannels * from), kChannels * (kFrames - from)) / kChannels;
  }

 private:
  boost::lockfree::spsc_queue<float, boost::lockfree::capacity<kChannels * kCapacityFrames>> queue_;
};
#endif

void check_arrival(::benchmark::State& state, bool is_right) {
  if (!is_right) state.SkipWithError("lost frames");
}

template <typename Pipe>
void one_thread(::benchmark::State& state, Pipe& pipe, const Blocks& blocks) {
  std::size_t frames = 0;
  for ([[maybe_unused]] const auto _ : state) {
    frames += pipe.send(blocks.in(0), 0);
    frames += pipe.receive(blocks.out(), 0);
  }
  check_arrival(state, frames == 2 * kFrames * static_cast<std::size_t>(state.iterations()) && blocks.arrived(0));
}

// Calls `pass` until a whole block has passed. Spins for long; then gives the core away, which the other may need.
template <typename Pass>
void pass_whole_block(const Pass& pass) {
  constexpr int kSpins = 2000;
  int idle = 0;
  for (std::size_t done = 0; done < kFrames;) {
    const std::size_t passed = pass(done);
    done += passed;
    if (passed > 0) continue;
    if (++idle > kSpins) {
      std::this_thread::yield();
    } else {
      spin_pause();
    }
  }
}

template <typename Pipe>
void two_threads(::benchmark::State& state, Pipe& pipe, const Blocks& blocks) {
  std::atomic<bool> ready{false};
  std::atomic<bool> go{false};
  std::thread producer([&, n_blocks = static_cast<std::size_t>(state.max_iterations)] {
    pin_to_core(1);
    ready = true;
    while (!go) spin_pause();
    for (std::size_t i = 0; i < n_blocks; ++i) {
      pass_whole_block([&, i](std::size_t from) { return pipe.send(blocks.in(i), from); });
    }
  });
  while (!ready) std::this_thread::yield();
  bool is_right = true;
  std::size_t i = 0;
  go = true;
  for ([[maybe_unused]] const auto _ : state) {
    pass_whole_block([&](std::size_t from) { return pipe.receive(blocks.out(), from); });
    is_right = is_right && blocks.arrived(i++);
  }
  producer.join();
  check_arrival(state, is_right);
}

template <typename Pipe>
using Pass = void (*)(::benchmark::State&, Pipe&, const Blocks&);

template <typename Pipe>
::benchmark::internal::Benchmark* add(const std::string& group, const std::string& contender, Pass<Pipe> pass) {
  static const auto blocks = std::make_shared<Blocks>();
  return add_case(group, contender, [pass, pipe = std::make_shared<Pipe>()](::benchmark::State& state) {
    blocks->move_to(current_round());
    pass(state, *pipe, *blocks);
  });
}

}  // namespace

void add_cases() {
  const std::string one = "ring/one thread";
  constexpr int kBlocks = 4000;  // so many that starting a thread does not count
  const std::string two = "ring/two threads";
  add<Ours>(one, "neutone", one_thread<Ours>);
  add<Memcpys>(one, "memcpy", one_thread<Memcpys>);
  add<Ours>(two, "neutone", two_threads<Ours>)->Iterations(kBlocks)->UseRealTime();
#ifdef NEUTONE_HAS_BOOST
  add<Boosts>(one, "boost::lockfree", one_thread<Boosts>);
  add<Boosts>(two, "boost::lockfree", two_threads<Boosts>)->Iterations(kBlocks)->UseRealTime();
#else
  note_missing("boost::lockfree", "libboost-dev");
#endif
}

}  // namespace neutone::bench
