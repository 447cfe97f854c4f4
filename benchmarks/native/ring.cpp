// What passing one block of audio through a ring costs. Usage: ring [--rounds N] [--json FILE]
//
// On one thread: write and read, against copying the same bytes into and out of memory of the same size, which is the
// least that a buffer in between can cost. Between two threads: the time that one block of a busy stream takes.

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <iostream>
#include <memory>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "dsp/spsc_ring.h"
#include "options.h"
#include "report.h"
#include "threads.h"

#ifdef NEUTONE_HAS_BOOST
#include <boost/lockfree/policies.hpp>
#include <boost/lockfree/spsc_queue.hpp>
#endif

using neutone::benchmark::Case;
using neutone::benchmark::pin_to_core;
using neutone::benchmark::spin_pause;

namespace {

constexpr std::size_t kChannels = 2;
constexpr std::size_t kFrames = 512;
constexpr std::size_t kBlock = kChannels * kFrames;
constexpr std::size_t kCapacityFrames = 8192;
constexpr std::size_t kBlocksPerRound = 4000;
constexpr std::size_t kDefaultRounds = 501;
constexpr std::size_t kPageFloats = 4096 / sizeof(float);

using Clock = std::chrono::steady_clock;

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
  static constexpr std::size_t kLine = neutone::dsp::kCacheLineBytes / sizeof(float);
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
  alignas(neutone::dsp::kCacheLineBytes) std::array<float, kChannels * kCapacityFrames> memory_{};
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
  neutone::dsp::SpscRing<float> ring_{kChannels, kCapacityFrames};
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

double ns_per_block(Clock::time_point start) {
  return std::chrono::duration<double, std::nano>(Clock::now() - start).count() / double{kBlocksPerRound};
}

template <typename Pipe>
double measure_one_thread(Pipe& pipe, const Blocks& blocks) {
  std::size_t frames = 0;
  const auto start = Clock::now();
  for (std::size_t i = 0; i < kBlocksPerRound; ++i) {
    frames += pipe.send(blocks.in(0), 0);
    frames += pipe.receive(blocks.out(), 0);
  }
  const double ns = ns_per_block(start);
  if (frames != 2 * kFrames * kBlocksPerRound || !blocks.arrived(0)) throw std::logic_error("one thread lost frames");
  return ns;
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
double measure_two_threads(Pipe& pipe, const Blocks& blocks) {
  std::atomic<bool> ready{false};
  std::atomic<bool> go{false};
  std::thread producer([&] {
    pin_to_core(1);
    ready = true;
    while (!go) spin_pause();
    for (std::size_t i = 0; i < kBlocksPerRound; ++i) {
      pass_whole_block([&, i](std::size_t from) { return pipe.send(blocks.in(i), from); });
    }
  });
  while (!ready) std::this_thread::yield();
  bool right = true;
  const auto start = Clock::now();
  go = true;
  for (std::size_t i = 0; i < kBlocksPerRound; ++i) {
    pass_whole_block([&](std::size_t from) { return pipe.receive(blocks.out(), from); });
    right = right && blocks.arrived(i);
  }
  const double ns = ns_per_block(start);
  producer.join();
  if (!right) throw std::logic_error("two threads lost frames");
  return ns;
}

template <typename Pipe>
Case one_thread(const std::string& name, const Blocks& blocks) {
  return {name,
          "memcpy in, memcpy out",
          [&, pipe = std::make_shared<Pipe>()] { return measure_one_thread(*pipe, blocks); },
          {}};
}

template <typename Pipe>
Case two_threads(const std::string& name, const std::string& baseline, const Blocks& blocks) {
  return {name, baseline, [&, pipe = std::make_shared<Pipe>()] { return measure_two_threads(*pipe, blocks); }, {}};
}

std::vector<Case> all_cases(const Blocks& blocks) {
  std::vector<Case> cases{one_thread<Memcpys>("memcpy in, memcpy out", blocks),
                          one_thread<Ours>("SpscRing write, read", blocks)};
#ifdef NEUTONE_HAS_BOOST
  const std::string baseline = "boost::lockfree, 2 threads";
  cases.push_back(one_thread<Boosts>("boost::lockfree push, pop", blocks));
  cases.push_back(two_threads<Boosts>(baseline, baseline, blocks));
#else
  const std::string baseline = "SpscRing, 2 threads";
  std::cout << "Boost's headers are missing: no comparison with them\n";
#endif
  cases.push_back(two_threads<Ours>("SpscRing, 2 threads", baseline, blocks));
  return cases;
}

void run(std::span<char*> arguments) {
  const auto [rounds, json_path] = neutone::benchmark::parse_options(arguments, kDefaultRounds);
  const auto blocks = std::make_unique<Blocks>();
  std::vector<Case> cases = all_cases(*blocks);
  pin_to_core(0);
  neutone::benchmark::measure_in_rounds(cases, rounds, [&blocks](std::size_t round) { blocks->move_to(round); });
  std::cout << "ns per block of " << kChannels << " x " << kFrames << " floats; capacity " << kCapacityFrames
            << " frames; " << rounds << " rounds of " << kBlocksPerRound << " blocks\n";
  neutone::benchmark::print_table(cases);
  if (!json_path.empty()) neutone::benchmark::write_json(cases, json_path);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(std::span(argv, static_cast<std::size_t>(argc)).subspan(1));
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\nusage: ring [--rounds N] [--json FILE]\n";
    return EXIT_FAILURE;
  }
}
