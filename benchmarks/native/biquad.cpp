// What a biquad cascade costs. Usage: biquad [--rounds N] [--json FILE]
//
// Nanoseconds per frame and channel, stereo, in blocks of 512 frames, beside the textbook's loop.

#include "dsp/biquad.h"

#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dsp/biquad_design.h"
#include "options.h"
#include "report.h"
#include "threads.h"

using neutone::benchmark::Case;
using neutone::dsp::BiquadSection;

namespace {

constexpr std::size_t kChannels = 2;
constexpr std::size_t kFrames = 512;
constexpr std::size_t kBlocksPerRound = 200;
constexpr std::size_t kDefaultRounds = 101;

struct Block {
  std::vector<float> in = std::vector<float>(kChannels * kFrames);
  std::vector<float> out = std::vector<float>(kChannels * kFrames);

  explicit Block(float amplitude) {
    std::uint32_t state = 1;
    for (float& sample : in) {
      state = state * 1664525U + 1013904223U;
      sample = amplitude * (static_cast<float>(state) / 4294967296.0F - 0.5F);
    }
  }
};

std::vector<BiquadSection> lowpass(int n_sections) {
  constexpr double kCutoff = 0.02;
  return design_butterworth(neutone::dsp::FilterBand::lowpass(kCutoff), 2 * n_sections);
}

class Ours {
 public:
  explicit Ours(const std::vector<BiquadSection>& sections) : filter_(sections, kChannels) {}
  void pass(Block& block) {
    filter_.process({block.in.data(), kChannels, kFrames, kFrames, 1},
                    {block.out.data(), kChannels, kFrames, kFrames, 1});
  }

 private:
  neutone::dsp::BiquadCascade filter_;
};

// Transposed direct form II in float64, one channel, one frame, one section after the other.
class Textbook {
 public:
  explicit Textbook(const std::vector<BiquadSection>& sections)
      : sections_(sections), state_(kChannels * sections.size()) {}
  void pass(Block& block) {
    for (std::size_t channel = 0; channel < kChannels; ++channel) {
      for (std::size_t frame = 0; frame < kFrames; ++frame) {
        auto sample = static_cast<double>(block.in[channel * kFrames + frame]);
        for (std::size_t i = 0; i < sections_.size(); ++i) {
          const BiquadSection& s = sections_[i];
          auto& [s1, s2] = state_[channel * sections_.size() + i];
          const double out = s.b0 * sample + s1;
          s1 = s.b1 * sample - s.a1 * out + s2;
          s2 = s.b2 * sample - s.a2 * out;
          sample = out;
        }
        block.out[channel * kFrames + frame] = static_cast<float>(sample);
      }
    }
  }

 private:
  std::vector<BiquadSection> sections_;
  std::vector<std::array<double, 2>> state_;
};

template <typename Filter>
Case filter_case(const std::string& name, const std::string& baseline, int n_sections, Block& block) {
  return {name,
          baseline,
          [&block, filter = std::make_shared<Filter>(lowpass(n_sections))] {
            const auto start = std::chrono::steady_clock::now();
            for (std::size_t i = 0; i < kBlocksPerRound; ++i) filter->pass(block);
            const std::chrono::duration<double, std::nano> elapsed = std::chrono::steady_clock::now() - start;
            return elapsed.count() / static_cast<double>(kBlocksPerRound * kFrames * kChannels);
          },
          {}};
}

// A filter that has heard an impulse and ten seconds of silence, and goes on hearing it.
Case silence_case(const std::string& name, const std::string& baseline, Block& silence) {
  Case row = filter_case<Ours>(name, baseline, 4, silence);
  silence.in[0] = 1.0F;
  static_cast<void>(row.measure());
  silence.in[0] = 0.0F;
  for (int i = 0; i < 5; ++i) static_cast<void>(row.measure());
  return row;
}

void run(std::span<char*> arguments) {
  const auto options = neutone::benchmark::parse_options(arguments, kDefaultRounds);
  neutone::benchmark::pin_to_core(0);
  Block noise(1.0F);
  Block silence(0.0F);
  const std::string four = "4 sections";
  std::vector<Case> cases{filter_case<Ours>(four, four, 4, noise),
                          silence_case("4 sections, 10 s after an impulse", four, silence),
                          filter_case<Ours>("1 section", four, 1, noise),
                          filter_case<Ours>("2 sections", four, 2, noise),
                          filter_case<Ours>("8 sections", four, 8, noise),
                          filter_case<Textbook>("textbook loop, 4 sections", four, 4, noise)};
  neutone::benchmark::measure_in_rounds(cases, options.rounds, [](std::size_t) {});
  std::cout << "biquads, ns per frame and channel, stereo, blocks of " << kFrames << "; "
            << neutone::dsp::biquad_kernel().name << "\n";
  neutone::benchmark::print_table(cases);
  if (!options.json_path.empty()) neutone::benchmark::write_json(cases, options.json_path);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(std::span(argv, static_cast<std::size_t>(argc)).subspan(1));
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\nusage: biquad [--rounds N] [--json FILE]\n";
    return EXIT_FAILURE;
  }
}
