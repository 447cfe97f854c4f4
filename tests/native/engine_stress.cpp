// An engine with a worker that stalls at random, and a host whose blocks have any size and that does not wait: every
// sample that comes out is the right one at its place, or counted as missing, and the latency stays what it is.
// Usage: engine_stress [frames]; the environment variable SEED repeats the choices. Exits with 1 on a wrong sample.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <iostream>
#include <memory>
#include <random>
#include <span>
#include <string>

#include "buffer.h"
#include "check.h"
#include "engine/engine.h"
#include "engine_models.h"

using neutone::dsp::Planar;
using neutone::engine::Stats;
using namespace neutone::test;  // NOLINT(google-build-using-namespace): all of it is for such programs

namespace {

constexpr std::size_t kModelBlock = 256;
constexpr std::size_t kLongest = 600;
constexpr std::size_t kInFlight = 6;       // blocks, at most
constexpr std::uint64_t kPeriod = 65'536;  // of the signal, in frames; longer than anything that is under way
constexpr std::uint64_t kDefaultFrames = 1'000'000'000;
constexpr std::uint64_t kCallbacksBetweenChecks = 2'000;

// One channel rises, the other falls, and neither is ever zero: no fade of one frame is another frame in both.
class Signal {
 public:
  Signal() : table_(2, kPeriod + kLongest) {
    for (std::size_t frame = 0; frame < table_.planar().frames; ++frame) {
      at(table_.planar(), 0, frame) = static_cast<float>(1 + frame % kPeriod);
      at(table_.planar(), 1, frame) = static_cast<float>(kPeriod - frame % kPeriod);
    }
  }
  [[nodiscard]] Audio frames(std::uint64_t first, std::size_t count) const {
    return table_.planar().slice_frames(static_cast<std::size_t>(first % kPeriod), count);
  }

 private:
  Buffer table_;
};

// Copies, and now and then lets time pass first: a little, or so long that all slots fill up.
std::shared_ptr<TestModel> stalling(std::uint64_t seed_value) {
  return std::make_shared<TestModel>(format_of(kModelBlock),
                                     [random = std::mt19937_64(seed_value)](const Audio& audio, const Audio& /*params*/,
                                                                            const Planar<float>& out) mutable {
                                       const std::uint64_t kind = random() % 64;
                                       const std::uint64_t longest = kind == 0 ? 200'000 : 2'000;
                                       volatile std::uint64_t left = kind < 8 ? random() % longest : 0;
                                       while (left > 0) left = left - 1;
                                       neutone::dsp::copy_frames<float>(audio, out);
                                     });
}

// The host: what it sends and what it should get, since the last reset.
class Host {
 public:
  explicit Host(std::uint64_t seed_value) : random_(seed_value) {
    engine_.set_model(stalling(~seed_value));
    engine_.prepare({.max_block_frames = kLongest}, {.latency_mode = LatencyMode::kTwoBlocks});
    latency_ = engine_.latency_samples();  // NOLINT(cppcoreguidelines-prefer-member-initializer): known from here on
  }

  void callback() {
    if (below(20'000) == 0) reset();
    const std::size_t frames = below(8) == 0 ? below(4) : below(kLongest + 1);
    const Planar<float> out = out_.planar().slice_frames(0, frames);
    engine_.process(signal_.frames(position_, frames), {}, out);
    n_wrong_ += count_wrong(out);
    position_ += frames;
    n_frames_ += frames;
    // At times in step with the worker, at times ahead of it.
    if (below(200) == 0) callbacks_between_waits_ = std::size_t{1} << below(7);
    if (below(callbacks_between_waits_) == 0) fence_.wait_for(kInFlight);
  }

  // Whether all that was wrong has been counted as missing, one for one, and nothing else.
  [[nodiscard]] bool is_right() const {
    return engine_.stats().missing_samples == n_wrong_ && engine_.latency_samples() == latency_;
  }
  [[nodiscard]] std::uint64_t n_frames() const { return n_frames_; }
  [[nodiscard]] std::uint64_t n_wrong() const { return n_wrong_; }
  [[nodiscard]] Stats stats() const { return engine_.stats(); }

 private:
  [[nodiscard]] std::size_t below(std::size_t end) { return random_() % end; }

  void reset() {
    engine_.reset();
    position_ = 0;
  }

  [[nodiscard]] std::size_t count_wrong(const Audio& out) const {
    const std::uint64_t silent_left = position_ < latency_ ? latency_ - position_ : 0;
    const auto n_silent = static_cast<std::size_t>(std::min<std::uint64_t>(out.frames, silent_left));
    const float zero = 0.0F;
    const std::size_t n_more = n_different(out.slice_frames(0, n_silent), {&zero, 2, n_silent, 0, 0});
    const Audio heard = out.slice_frames(n_silent, out.frames - n_silent);
    if (heard.frames == 0) return n_more;
    const Audio expected = signal_.frames(position_ + n_silent - latency_, heard.frames);
    bool is_same = true;
    for (std::size_t channel = 0; channel < 2; ++channel) {
      is_same = is_same && std::memcmp(heard.row(channel), expected.row(channel), heard.frames * sizeof(float)) == 0;
    }
    return n_more + (is_same ? 0 : n_different(heard, expected));
  }

  const Signal signal_;
  std::mt19937_64 random_;
  // One that goes before this thread would seldom be late.
  std::shared_ptr<WorkerPool> pool_ = std::make_shared<WorkerPool>(1, neutone::engine::WorkerPriority::kOrdinary);
  Engine engine_{pool_};
  Fence fence_{pool_};
  Buffer out_{2, kLongest};
  std::uint64_t latency_ = 0;
  std::uint64_t position_ = 0;
  std::uint64_t n_frames_ = 0;
  std::uint64_t n_wrong_ = 0;
  std::size_t callbacks_between_waits_ = 1;
};

int stress(std::uint64_t frames) {
  Host host(seed());
  std::cout << "playing " << frames << " frames, SEED=" << seed() << "\n" << std::flush;
  const auto start = std::chrono::steady_clock::now();
  bool is_right = true;
  while (is_right && host.n_frames() < frames) {
    for (std::uint64_t i = 0; i < kCallbacksBetweenChecks; ++i) host.callback();
    is_right = host.is_right();
  }
  const std::chrono::duration<double> duration = std::chrono::steady_clock::now() - start;
  const Stats stats = host.stats();
  std::cout << (is_right ? "0 wrong samples in " : "WRONG SAMPLES or latency in ") << host.n_frames()
            << " frames after " << duration.count() << " s; " << host.n_wrong() << " differ, " << stats.missing_samples
            << " are counted as missing, of " << stats.late_blocks << " late blocks out of " << stats.blocks << "\n";
  const bool has_stalled = stats.late_blocks > 0 && stats.missing_samples < host.n_frames();
  if (!has_stalled) std::cout << "the worker was never late, or always: this run shows nothing\n";
  return is_right && has_stalled ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::span<char*> arguments(argv, static_cast<std::size_t>(argc));
    return stress(arguments.size() > 1 ? std::stoull(arguments[1]) : kDefaultFrames);
  } catch (const std::exception& error) {
    std::cerr << "usage: engine_stress [frames]: " << error.what() << "\n";
    return EXIT_FAILURE;
  }
}
