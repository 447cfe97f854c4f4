// Two threads pass frames through one ring by every method that it has, and every sample is compared.
// Usage: ring_stress [frames]; the environment variable SEED repeats a run. Exits with 1 on the first wrong sample.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <functional>
#include <iostream>
#include <random>
#include <span>
#include <string>
#include <thread>

#include "buffer.h"
#include "check.h"
#include "dsp/planar.h"
#include "dsp/spsc_ring.h"
#include "stamps.h"

using neutone::dsp::Planar;
using neutone::dsp::RingView;
using neutone::dsp::SpscRing;
using neutone::test::Buffer;
using neutone::test::kStampPeriod;

namespace {

constexpr std::size_t kChannels = 2;
constexpr std::size_t kCapacity = 8192;
constexpr std::size_t kLongest = 2048;
constexpr std::uint64_t kEagerTries = 100;
constexpr std::uint64_t kDefaultFrames = 100'000'000;

// The content of any stretch of the stream, made beforehand: what is slow under a sanitizer is the loop over samples.
// Two frames that are ever in the ring together differ, and so do the channels.
class Stream {
 public:
  Stream() : table_(kChannels, kStampPeriod + kCapacity) { neutone::test::fill_stamps(table_.planar(), 0); }

  [[nodiscard]] Planar<const float> frames(std::uint64_t first, std::size_t count) const noexcept {
    return table_.planar().slice_frames(first % kStampPeriod, count);
  }

  // Rows of `audio` are contiguous.
  [[nodiscard]] bool holds(Planar<const float> audio, std::uint64_t first) const noexcept {
    const Planar<const float> expected = frames(first, audio.frames);
    for (std::size_t channel = 0; channel < kChannels && audio.frames > 0; ++channel) {
      if (std::memcmp(audio.row(channel), expected.row(channel), audio.frames * sizeof(float)) != 0) return false;
    }
    return true;
  }

 private:
  Buffer table_;
};

// What both threads share.
struct Run {
  explicit Run(std::uint64_t count) : frames(count) {}

  SpscRing<float> ring{kChannels, kCapacity};
  const std::uint64_t frames;
  const Stream stream;
  std::atomic<bool> failed{false};
};

// One side of the ring: its random choices, and where it is in the stream.
class Side {
 public:
  Side(Run& run, std::uint64_t seed) : run_(run), random_(seed) {}

  [[nodiscard]] std::uint64_t position() const noexcept { return position_; }
  [[nodiscard]] std::uint64_t idle() const noexcept { return idle_; }

 protected:
  [[nodiscard]] Run& run() const noexcept { return run_; }
  [[nodiscard]] RingView<float>& ring() const noexcept { return run_.ring.view(); }
  [[nodiscard]] std::size_t below(std::size_t end) { return random_() % end; }

  // Mostly long stretches, at times a few frames; never past the end of the stream.
  [[nodiscard]] std::size_t stretch() {
    const std::size_t frames = 1 + below(below(8) == 0 ? 16 : kLongest);
    return static_cast<std::size_t>(std::min<std::uint64_t>(frames, run_.frames - position_));
  }

  // Tries again at once for a while, to be there when the other side is in the middle of something; then lets it run.
  void advance(std::size_t frames) {
    position_ += frames;
    if (frames > 0) {
      idle_since_progress_ = 0;
      return;
    }
    ++idle_;
    if (++idle_since_progress_ > kEagerTries) std::this_thread::yield();
  }

  [[nodiscard]] bool running() const noexcept { return position_ < run_.frames && !run_.failed; }

 private:
  Run& run_;
  std::mt19937_64 random_;
  std::uint64_t position_ = 0;
  std::uint64_t idle_ = 0;
  std::uint64_t idle_since_progress_ = 0;
};

class Producer : public Side {
 public:
  using Side::Side;

  void operator()() {
    while (running()) advance(below(2) == 0 ? write(stretch()) : publish(stretch()));
  }

 private:
  std::size_t write(std::size_t frames) { return ring().write(run().stream.frames(position(), frames)); }

  std::size_t publish(std::size_t frames) {
    const auto room = ring().reserve(frames);
    copy_frames<float>(run().stream.frames(position(), room.head.frames), room.head);
    copy_frames<float>(run().stream.frames(position() + room.head.frames, room.tail.frames), room.tail);
    const std::size_t used = room.frames() - (below(2) * room.frames() / 2);  // at times not all that was reserved
    ring().publish(used);
    return used;
  }
};

class Consumer : public Side {
 public:
  using Side::Side;

  void operator()() {
    while (running()) {
      switch (below(6)) {
        case 0: latest(1 + below(kLongest)); break;
        case 1: advance(peek_then_skip(stretch())); break;
        case 2:
        case 3: advance(consume(stretch())); break;
        default: advance(read(stretch())); break;
      }
    }
  }

 private:
  void expect(bool right) {
    if (!right) run().failed = true;
  }

  std::size_t read(std::size_t frames) {
    const std::size_t ready = ring().read(block_.first(frames));
    expect(run().stream.holds(block_.first(ready), position()));
    return ready;
  }

  std::size_t consume(std::size_t frames) {
    const auto ready = ring().readable(frames);
    expect(run().stream.holds(ready.head, position()));
    expect(run().stream.holds(ready.tail, position() + ready.head.frames));
    const std::size_t used = ready.frames() - (below(2) * ready.frames() / 2);
    ring().consume(used);
    return used;
  }

  // The frames of a peek are still there when they are skipped.
  std::size_t peek_then_skip(std::size_t frames) {
    const std::size_t ready = ring().peek(block_.first(frames));
    expect(run().stream.holds(block_.first(ready), position()));
    expect(ring().skip(ready) == ready);
    return ready;
  }

  // The first stamp tells which frames these are; they may be any stretch of what is in the ring by now.
  void latest(std::size_t frames) {
    const std::size_t waiting = ring().size();
    const std::size_t ready = ring().newest(block_.first(frames));
    expect(ready >= std::min(waiting, frames));
    if (ready == 0) return;
    const auto found = static_cast<std::int64_t>(block_.planar().data[0]);
    const auto first = static_cast<std::uint64_t>(found);
    const std::uint64_t ahead = (first + kStampPeriod - (position() % kStampPeriod)) % kStampPeriod;
    expect(found >= 0 && ahead + ready >= waiting && ahead + ready <= kCapacity);
    expect(ready == frames || ahead == 0);
    expect(run().stream.holds(block_.first(ready), first));
  }

  Buffer block_{kChannels, kLongest};
};

int stress(std::uint64_t frames) {
  Run run(frames);
  const std::uint64_t seed = neutone::test::seed();
  Producer producer(run, seed);
  Consumer consumer(run, ~seed);
  std::cout << "passing " << frames << " frames, SEED=" << seed << "\n" << std::flush;
  const auto start = std::chrono::steady_clock::now();
  std::thread thread(std::ref(producer));
  consumer();
  thread.join();
  const std::chrono::duration<double> duration = std::chrono::steady_clock::now() - start;
  std::cout << (run.failed ? "WRONG SAMPLE shortly before frame " : "every sample right up to frame ")
            << consumer.position() << " after " << duration.count() << " s; found the ring full " << producer.idle()
            << " times, empty " << consumer.idle() << " times\n";
  return run.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::span<char*> arguments(argv, static_cast<std::size_t>(argc));
    return stress(arguments.size() > 1 ? std::stoull(arguments[1]) : kDefaultFrames);
  } catch (const std::exception& error) {
    std::cerr << "usage: ring_stress [frames]: " << error.what() << "\n";
    return EXIT_FAILURE;
  }
}
