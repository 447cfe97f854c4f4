// What the state-variable filter costs. Usage: svf [--rounds N] [--json FILE]
//
// Nanoseconds per frame and channel, stereo, in blocks of 512 frames, beside the textbook's loop.

#include "dsp/svf.h"

#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <numbers>
#include <span>
#include <string>
#include <vector>

#include "options.h"
#include "report.h"
#include "threads.h"

using neutone::benchmark::Case;
using neutone::dsp::Planar;
using neutone::dsp::SvfControls;

namespace {

constexpr std::size_t kChannels = 2;
constexpr std::size_t kFrames = 512;
constexpr std::size_t kBlocksPerRound = 200;
constexpr std::size_t kDefaultRounds = 101;
constexpr double kRateHz = 48'000.0;

// Audio, and controls in the layout of the operator: mix has three columns.
struct Block {
  std::vector<float> in = std::vector<float>(kChannels * kFrames);
  std::vector<float> out = std::vector<float>(kChannels * kFrames);
  std::vector<float> cutoff_hz = std::vector<float>(kChannels * kFrames);
  std::vector<float> resonance = std::vector<float>(kChannels * kFrames);
  std::vector<float> mix = std::vector<float>(3 * kChannels * kFrames);

  explicit Block(float amplitude) {
    std::uint32_t state = 1;
    const auto uniform = [&state] {
      state = state * 1664525U + 1013904223U;
      return static_cast<float>(state) / 4294967296.0F;
    };
    for (std::size_t i = 0; i < in.size(); ++i) {
      in[i] = amplitude * (uniform() - 0.5F);
      cutoff_hz[i] = 20.0F * std::pow(1000.0F, uniform());
      resonance[i] = 0.5F + 9.5F * uniform();
    }
    for (float& part : mix) part = uniform();
  }
};

// How far the controls go: 0 or 1 value a block, 0 or 1 curve a channel.
struct Spread {
  std::ptrdiff_t frames;
  std::ptrdiff_t channels;
};

SvfControls controls_of(const Block& block, Spread spread) {
  const auto curve = [&spread](const float* data, std::ptrdiff_t step) {
    return Planar<const float>{data, kChannels, kFrames, spread.channels * step * static_cast<std::ptrdiff_t>(kFrames),
                               spread.frames * step};
  };
  return {curve(block.cutoff_hz.data(), 1), curve(block.resonance.data(), 1), curve(block.mix.data(), 3),
          curve(block.mix.data() + 1, 3), curve(block.mix.data() + 2, 3)};
}

class Ours {
 public:
  Ours(Block& block, Spread spread) : block_(block), controls_(controls_of(block, spread)) {}
  void pass() {
    filter_.process({block_.in.data(), kChannels, kFrames, kFrames, 1}, controls_,
                    {block_.out.data(), kChannels, kFrames, kFrames, 1});
  }

 private:
  Block& block_;
  SvfControls controls_;
  neutone::dsp::Svf filter_{kRateHz, kChannels};
};

// Zavalishin's equations as they stand in the book, one sample at a time, with std::tan for each.
class Textbook {
 public:
  Textbook(Block& block, Spread spread) : block_(block), controls_(controls_of(block, spread)) {}
  void pass() {
    for (std::size_t channel = 0; channel < kChannels; ++channel) filter(channel);
  }

 private:
  static double value(const Planar<const float>& control, std::size_t channel, std::size_t frame) {
    return static_cast<double>(control.row(channel)[static_cast<std::ptrdiff_t>(frame) * control.frame_stride]);
  }
  void filter(std::size_t channel) {
    double& s1 = s1_[channel];
    double& s2 = s2_[channel];
    for (std::size_t frame = 0; frame < kFrames; ++frame) {
      const double g = std::tan(std::numbers::pi * value(controls_.cutoff_hz, channel, frame) / kRateHz);
      const double damping = 1.0 / value(controls_.resonance, channel, frame);
      const auto input = static_cast<double>(block_.in[channel * kFrames + frame]);
      const double high = (input - (damping + g) * s1 - s2) / (1.0 + damping * g + g * g);
      const double band = s1 + g * high;
      const double low = s2 + g * band;
      s1 = band + g * high;
      s2 = low + g * band;
      block_.out[channel * kFrames + frame] = static_cast<float>(
          value(controls_.mix_band, channel, frame) * damping * band + value(controls_.mix_low, channel, frame) * low +
          value(controls_.mix_high, channel, frame) * high);
    }
  }

  Block& block_;
  SvfControls controls_;
  std::array<double, kChannels> s1_{};
  std::array<double, kChannels> s2_{};
};

template <typename Filter>
double ns_per_frame_and_channel(Filter& filter) {
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < kBlocksPerRound; ++i) filter.pass();
  const std::chrono::duration<double, std::nano> elapsed = std::chrono::steady_clock::now() - start;
  return elapsed.count() / static_cast<double>(kBlocksPerRound * kFrames * kChannels);
}

template <typename Filter>
Case filter_case(const std::string& name, const std::string& baseline, Block& block, Spread spread) {
  return {name,
          baseline,
          [filter = std::make_shared<Filter>(block, spread)] { return ns_per_frame_and_channel(*filter); },
          {}};
}

// After an impulse, long ago: `seconds` of silence have been filtered.
Case silence_case(const std::string& name, const std::string& baseline, Block& silence, double seconds) {
  const auto filter = std::make_shared<Ours>(silence, Spread{0, 0});
  for (const float sample : {1.0F, 0.0F}) {
    silence.in[0] = silence.in[kFrames] = sample;
    filter->pass();
  }
  const auto n_blocks = static_cast<std::size_t>(seconds * kRateHz) / kFrames;
  for (std::size_t i = 0; i < n_blocks; ++i) filter->pass();
  return {name, baseline, [filter] { return ns_per_frame_and_channel(*filter); }, {}};
}

void run(std::span<char*> arguments) {
  const auto options = neutone::benchmark::parse_options(arguments, kDefaultRounds);
  neutone::benchmark::pin_to_core(0);
  Block block(1.0F);
  Block silence(0.0F);
  const std::string constant = "neutone, constant";
  const std::string shared = "neutone, a curve for all";
  std::vector<Case> cases{filter_case<Ours>(constant, constant, block, {0, 0}),
                          filter_case<Ours>(shared, shared, block, {1, 0}),
                          filter_case<Ours>("neutone, a curve each", shared, block, {1, 1}),
                          silence_case("neutone, constant, silence", constant, silence, 10.0),
                          filter_case<Textbook>("textbook, constant", constant, block, {0, 0}),
                          filter_case<Textbook>("textbook, a curve for all", shared, block, {1, 0}),
                          filter_case<Textbook>("textbook, a curve each", shared, block, {1, 1})};
  neutone::benchmark::measure_in_rounds(cases, options.rounds, [](std::size_t) {});
  std::cout << "ns per frame and channel, stereo, blocks of " << kFrames << "; " << neutone::dsp::svf_kernel().name
            << "\n";
  neutone::benchmark::print_table(cases);
  if (!options.json_path.empty()) neutone::benchmark::write_json(cases, options.json_path);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(std::span(argv, static_cast<std::size_t>(argc)).subspan(1));
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\nusage: svf [--rounds N] [--json FILE]\n";
    return EXIT_FAILURE;
  }
}
