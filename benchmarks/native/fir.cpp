// What FIR filters cost. Usage: fir [--rounds N] [--json FILE]
//
// Nanoseconds per sample and channel, stereo, in blocks of 512 frames, beside a plain loop of products.

#include "dsp/fir.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "options.h"
#include "report.h"
#include "threads.h"

using neutone::benchmark::Case;

namespace {

constexpr std::size_t kChannels = 2;
constexpr std::size_t kFrames = 512;
constexpr std::size_t kBlocksPerRound = 100;
constexpr std::size_t kDefaultRounds = 51;

// The same noise, and room for what becomes of it.
struct Blocks {
  std::vector<float> in = std::vector<float>(kChannels * kFrames);
  std::vector<float> out = std::vector<float>(kChannels * kFrames);

  explicit Blocks(float amplitude) {
    std::uint32_t state = 1;
    for (float& sample : in) {
      state = state * 1664525U + 1013904223U;
      sample = amplitude * (static_cast<float>(state) / 4294967296.0F - 0.5F);
    }
  }
};

std::vector<double> decaying_taps(std::size_t count) {
  std::vector<double> taps(count);
  std::uint32_t state = 7;
  for (std::size_t i = 0; i < count; ++i) {
    state = state * 1664525U + 1013904223U;
    taps[i] = (static_cast<double>(state) / 4294967296.0 - 0.5) / static_cast<double>(i + 1);
  }
  return taps;
}

class Ours {
 public:
  explicit Ours(std::size_t n_taps) : fir_(decaying_taps(n_taps), kChannels) {}
  void pass(Blocks& blocks) {
    fir_.process({blocks.in.data(), kChannels, kFrames, kFrames, 1},
                 {blocks.out.data(), kChannels, kFrames, kFrames, 1});
  }

 private:
  neutone::dsp::Fir fir_;
};

// The same in the midst of a cross-fade that does not end.
class OursFading {
 public:
  explicit OursFading(std::size_t n_taps) : fir_(decaying_taps(n_taps), kChannels) {
    fir_.set_taps(decaying_taps(n_taps), std::size_t{1} << 40U);
  }
  void pass(Blocks& blocks) {
    fir_.process({blocks.in.data(), kChannels, kFrames, kFrames, 1},
                 {blocks.out.data(), kChannels, kFrames, kFrames, 1});
  }

 private:
  neutone::dsp::Fir fir_;
};

// The textbook's way: one sum after the other, one sample at a time.
class PlainLoop {
 public:
  explicit PlainLoop(std::size_t n_taps) : stride_(n_taps - 1 + kFrames), history_(kChannels * stride_) {
    const std::vector<double> taps = decaying_taps(n_taps);
    reversed_.assign(taps.rbegin(), taps.rend());
  }
  void pass(Blocks& blocks) {
    const std::size_t before = reversed_.size() - 1;
    for (std::size_t channel = 0; channel < kChannels; ++channel) {
      float* const history = history_.data() + channel * stride_;
      std::copy_n(blocks.in.data() + channel * kFrames, kFrames, history + before);
      for (std::size_t frame = 0; frame < kFrames; ++frame) {
        float sum = 0.0F;
        for (std::size_t tap = 0; tap <= before; ++tap) sum += reversed_[tap] * history[frame + tap];
        blocks.out[channel * kFrames + frame] = sum;
      }
      std::copy(history + kFrames, history + stride_, history);
    }
  }

 private:
  std::size_t stride_;
  std::vector<float> history_;
  std::vector<float> reversed_;
};

// The plain loop gets about as many products in a round, whatever the taps.
std::size_t plain_blocks(std::size_t n_taps) { return std::max<std::size_t>(2, kBlocksPerRound * 64 / n_taps); }

template <typename Filter>
double ns_per_sample_and_channel(Filter& filter, Blocks& blocks, std::size_t n_blocks) {
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t block = 0; block < n_blocks; ++block) filter.pass(blocks);
  const std::chrono::duration<double, std::nano> elapsed = std::chrono::steady_clock::now() - start;
  return elapsed.count() / static_cast<double>(n_blocks * kFrames * kChannels);
}

template <typename Filter>
Case filter_case(const std::string& name, const std::string& baseline, std::size_t n_taps, Blocks& blocks,
                 std::size_t n_blocks = kBlocksPerRound) {
  return {name,
          baseline,
          [n_blocks, &blocks, filter = std::make_shared<Filter>(n_taps)] {
            return ns_per_sample_and_channel(*filter, blocks, n_blocks);
          },
          {}};
}

void run(std::span<char*> arguments) {
  const auto options = neutone::benchmark::parse_options(arguments, kDefaultRounds);
  neutone::benchmark::pin_to_core(0);
  constexpr float kDenormal = 1e-39F;
  Blocks blocks(1.0F);
  Blocks denormals(kDenormal);
  std::vector<Case> measured;
  for (const std::size_t n_taps : {31U, 257U, 4097U, 65'537U}) {
    const std::string prefix = std::to_string(n_taps) + " taps, ";
    const std::string ours = prefix + "neutone";
    std::vector<Case> cases{filter_case<Ours>(ours, ours, n_taps, blocks),
                            filter_case<Ours>(ours + ", denormals", ours, n_taps, denormals),
                            filter_case<OursFading>(ours + ", fading", ours, n_taps, blocks),
                            filter_case<PlainLoop>(prefix + "plain loop", ours, n_taps, blocks, plain_blocks(n_taps))};
    neutone::benchmark::measure_in_rounds(cases, options.rounds, [](std::size_t) {});
    measured.insert(measured.end(), cases.begin(), cases.end());
  }
  std::cout << "FIR filters, ns per sample and channel, stereo, blocks of " << kFrames << "; "
            << neutone::dsp::fir_kernel().name << "\n";
  neutone::benchmark::print_table(measured);
  if (!options.json_path.empty()) neutone::benchmark::write_json(measured, options.json_path);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(std::span(argv, static_cast<std::size_t>(argc)).subspan(1));
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\nusage: fir [--rounds N] [--json FILE]\n";
    return EXIT_FAILURE;
  }
}
