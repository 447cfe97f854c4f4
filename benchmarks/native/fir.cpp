// FIR filters: a sample and channel, beside a plain loop of products.

#include "dsp/fir.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "blocks.h"
#include "suite.h"

namespace neutone::bench {
namespace {

std::vector<double> decaying_taps(std::size_t count) {
  std::vector<double> taps(count);
  Noise noise(7);
  for (std::size_t i = 0; i < count; ++i) {
    taps[i] = static_cast<double>(noise.next() - 0.5F) / static_cast<double>(i + 1);
  }
  return taps;
}

class Ours {
 public:
  explicit Ours(std::size_t n_taps, float amplitude = 1.0F)
      : block_(amplitude), fir_(decaying_taps(n_taps), kChannels) {}
  void pass() { fir_.process(block_.in(), block_.out()); }
  [[nodiscard]] dsp::Fir& fir() noexcept { return fir_; }

 private:
  Block block_;
  dsp::Fir fir_;
};

// In the midst of a cross-fade that does not end.
std::unique_ptr<Ours> fading(std::size_t n_taps) {
  auto ours = std::make_unique<Ours>(n_taps);
  ours->fir().set_taps(decaying_taps(n_taps), std::size_t{1} << 40U);
  return ours;
}

// The textbook's way: one sum after the other, one sample at a time.
class PlainLoop {
 public:
  explicit PlainLoop(std::size_t n_taps) : stride_(n_taps - 1 + kFrames), history_(kChannels * stride_) {
    const std::vector<double> taps = decaying_taps(n_taps);
    reversed_.assign(taps.rbegin(), taps.rend());
  }
  void pass() {
    const std::size_t before = reversed_.size() - 1;
    for (std::size_t channel = 0; channel < kChannels; ++channel) {
      float* const history = history_.data() + channel * stride_;
      std::copy_n(block_.in().row(channel), kFrames, history + before);
      for (std::size_t frame = 0; frame < kFrames; ++frame) {
        float sum = 0.0F;
        for (std::size_t tap = 0; tap <= before; ++tap) sum += reversed_[tap] * history[frame + tap];
        block_.out().row(channel)[frame] = sum;
      }
      std::copy(history + kFrames, history + stride_, history);
    }
  }

 private:
  Block block_;
  std::size_t stride_;
  std::vector<float> history_;
  std::vector<float> reversed_;
};

}  // namespace

void add_cases() {
  note("kernel", dsp::fir_kernel().name);
  constexpr double kItems = kChannels * kFrames;
  for (const std::size_t n_taps : {31U, 257U, 4097U, 65'537U}) {
    const std::string group = "fir/" + std::to_string(n_taps) + " taps";
    add_stateful_case(group, "neutone", kItems, [=] { return std::make_unique<Ours>(n_taps); });
    add_stateful_case(group, "neutone, denormals", kItems, [=] { return std::make_unique<Ours>(n_taps, kDenormal); });
    add_stateful_case(group, "neutone, fading", kItems, [=] { return fading(n_taps); });
    add_stateful_case(group, "plain loop", kItems, [=] { return std::make_unique<PlainLoop>(n_taps); });
  }
}

}  // namespace neutone::bench
