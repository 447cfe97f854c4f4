// Biquad cascades: a frame and channel, beside the textbook's loop.

#include "dsp/biquad.h"

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "blocks.h"
#include "dsp/biquad_design.h"
#include "suite.h"

namespace neutone::bench {
namespace {

using dsp::BiquadSection;

std::vector<BiquadSection> lowpass(int n_sections) {
  constexpr double kCutoff = 0.02;
  return design_butterworth(dsp::FilterBand::lowpass(kCutoff), 2 * n_sections);
}

struct Ours {
  Block block;
  dsp::BiquadCascade filter;

  explicit Ours(int n_sections, Block audio = Block())
      : block(std::move(audio)), filter(lowpass(n_sections), block.in().channels) {}
  void pass() { filter.process(block.in(), block.out()); }
};

// Transposed direct form II in float64, one channel, one frame, one section after the other.
class Textbook {
 public:
  explicit Textbook(const std::vector<BiquadSection>& sections)
      : sections_(sections), state_(kChannels * sections.size()) {}
  void pass() {
    for (std::size_t channel = 0; channel < kChannels; ++channel) {
      const float* const in = block_.in().row(channel);
      float* const out = block_.out().row(channel);
      for (std::size_t frame = 0; frame < kFrames; ++frame) out[frame] = next(channel, in[frame]);
    }
  }

 private:
  float next(std::size_t channel, float in) {
    auto sample = static_cast<double>(in);
    for (std::size_t i = 0; i < sections_.size(); ++i) {
      const BiquadSection& s = sections_[i];
      auto& [s1, s2] = state_[channel * sections_.size() + i];
      const double out = s.b0 * sample + s1;
      s1 = s.b1 * sample - s.a1 * out + s2;
      s2 = s.b2 * sample - s.a2 * out;
      sample = out;
    }
    return static_cast<float>(sample);
  }

  Block block_;
  std::vector<BiquadSection> sections_;
  std::vector<std::array<double, 2>> state_;
};

// A filter that has heard an impulse and ten seconds of silence, and goes on hearing it.
std::unique_ptr<Ours> after_an_impulse() {
  auto ours = std::make_unique<Ours>(4, Block(0.0F));
  ours->block.sample(0, 0) = 1.0F;
  ours->pass();
  ours->block.sample(0, 0) = 0.0F;
  for (int i = 0; i < 1000; ++i) ours->pass();
  return ours;
}

}  // namespace

void add_cases() {
  note("kernel", dsp::biquad_kernel().name);
  constexpr double kItems = kChannels * kFrames;
  for (const int n_sections : {4, 1, 2, 8}) {
    const std::string group = "biquads/" + std::to_string(n_sections) + " sections";
    add_stateful_case(group, "neutone", kItems, [=] { return std::make_unique<Ours>(n_sections); });
    if (n_sections == 4) add_stateful_case(group, "neutone, 10 s after an impulse", kItems, after_an_impulse);
    add_stateful_case(group, "textbook loop", kItems, [=] { return std::make_unique<Textbook>(lowpass(n_sections)); });
  }
}

}  // namespace neutone::bench
