// The state-variable filter: a frame and channel, beside the textbook's loop.

#include "dsp/svf.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <memory>
#include <numbers>
#include <string>
#include <vector>

#include "blocks.h"
#include "suite.h"

namespace neutone::bench {
namespace {

using dsp::Planar;
using dsp::SvfControls;

constexpr double kRateHz = 48'000.0;

// How far the controls go: 0 or 1 value a block, 0 or 1 curve a channel.
struct Spread {
  std::ptrdiff_t frames;
  std::ptrdiff_t channels;
};

// Controls in the layout of the operator: mix has three columns.
class Curves {
 public:
  explicit Curves(Spread spread) : spread_(spread) {
    Noise noise(2);
    for (std::size_t i = 0; i < cutoff_hz_.size(); ++i) {
      cutoff_hz_[i] = 20.0F * std::pow(1000.0F, noise.next());
      resonance_[i] = 0.5F + 9.5F * noise.next();
    }
    for (float& part : mix_) part = noise.next();
  }
  [[nodiscard]] SvfControls controls() const {
    return {curve(cutoff_hz_.data(), 1), curve(resonance_.data(), 1), curve(mix_.data(), 3), curve(mix_.data() + 1, 3),
            curve(mix_.data() + 2, 3)};
  }

 private:
  [[nodiscard]] Planar<const float> curve(const float* data, std::ptrdiff_t step) const {
    return {data, kChannels, kFrames, spread_.channels * step * static_cast<std::ptrdiff_t>(kFrames),
            spread_.frames * step};
  }

  Spread spread_;
  std::vector<float> cutoff_hz_ = std::vector<float>(kChannels * kFrames);
  std::vector<float> resonance_ = std::vector<float>(kChannels * kFrames);
  std::vector<float> mix_ = std::vector<float>(3 * kChannels * kFrames);
};

class Ours {
 public:
  explicit Ours(Spread spread, float amplitude = 1.0F) : block_(amplitude), curves_(spread) {}
  void pass() { filter_.process(block_.in(), curves_.controls(), block_.out()); }
  [[nodiscard]] Block& block() noexcept { return block_; }

 private:
  Block block_;
  Curves curves_;
  dsp::Svf filter_{kRateHz, kChannels};
};

// Ten seconds of silence after an impulse have been filtered.
std::unique_ptr<Ours> after_an_impulse() {
  auto ours = std::make_unique<Ours>(Spread{0, 0}, 0.0F);
  for (const float sample : {1.0F, 0.0F}) {
    ours->block().sample(0, 0) = ours->block().sample(1, 0) = sample;
    ours->pass();
  }
  for (int i = 0; i < 1000; ++i) ours->pass();
  return ours;
}

// Zavalishin's equations as they stand in the book, one sample at a time, with std::tan for each.
class Textbook {
 public:
  explicit Textbook(Spread spread) : curves_(spread), controls_(curves_.controls()) {}
  void pass() {
    for (std::size_t channel = 0; channel < kChannels; ++channel) filter(channel);
  }

 private:
  static double value(const Planar<const float>& control, std::size_t channel, std::size_t frame) {
    return static_cast<double>(control.row(channel)[static_cast<std::ptrdiff_t>(frame) * control.frame_stride]);
  }
  void filter(std::size_t channel) {
    const float* const in = block_.in().row(channel);
    float* const out = block_.out().row(channel);
    double& s1 = s1_[channel];
    double& s2 = s2_[channel];
    for (std::size_t frame = 0; frame < kFrames; ++frame) {
      const double g = std::tan(std::numbers::pi * value(controls_.cutoff_hz, channel, frame) / kRateHz);
      const double damping = 1.0 / value(controls_.resonance, channel, frame);
      const double high = (static_cast<double>(in[frame]) - (damping + g) * s1 - s2) / (1.0 + damping * g + g * g);
      const double band = s1 + g * high;
      const double low = s2 + g * band;
      s1 = band + g * high;
      s2 = low + g * band;
      out[frame] = static_cast<float>(value(controls_.mix_band, channel, frame) * damping * band +
                                      value(controls_.mix_low, channel, frame) * low +
                                      value(controls_.mix_high, channel, frame) * high);
    }
  }

  Block block_;
  Curves curves_;
  SvfControls controls_;
  std::array<double, kChannels> s1_{};
  std::array<double, kChannels> s2_{};
};

}  // namespace

void add_cases() {
  note("kernel", dsp::svf_kernel().name);
  constexpr double kItems = kChannels * kFrames;
  const auto add = [](const std::string& group, Spread spread) {
    add_stateful_case(group, "neutone", kItems, [=] { return std::make_unique<Ours>(spread); });
    add_stateful_case(group, "textbook loop", kItems, [=] { return std::make_unique<Textbook>(spread); });
  };
  add("svf/constant", {0, 0});
  add_stateful_case("svf/constant", "neutone, 10 s after an impulse", kItems, after_an_impulse);
  add("svf/a curve for all channels", {1, 0});
  add("svf/a curve for each channel", {1, 1});
}

}  // namespace neutone::bench
