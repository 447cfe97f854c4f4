// Resampling: an output frame and channel, beside the libraries that are installed.

#include "dsp/resampler.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "blocks.h"
#include "libraries.h"
#include "suite.h"

namespace neutone::bench {
namespace {

using dsp::ResamplerQuality;

constexpr std::size_t kRoom = 4096;  // frames: some libraries work in large blocks of their own

template <typename Real>
class Ours {
 public:
  Ours(Rates rates, ResamplerQuality quality, float amplitude = 1.0F)
      : block_(amplitude), resampler_(rates.from_hz, rates.to_hz, quality, kChannels) {}
  std::size_t pass() { return resampler_.process(block_.in(), {out_.data(), kChannels, kRoom, kRoom, 1}).produced; }

 private:
  Block block_;
  std::vector<float> out_ = std::vector<float>(kChannels * kRoom);
  dsp::Resampler<Real> resampler_;
};

// The textbook's way, with as many taps: one sum after the other, one sample at a time.
class PlainLoop {
 public:
  explicit PlainLoop(Rates rates)
      : plan_(dsp::plan_resampler(rates.from_hz, rates.to_hz, ResamplerQuality::kStandard)),
        history_(kChannels * (plan_.taps + kFrames)) {
    for (const double value : dsp::design_resampler(plan_, ResamplerQuality::kStandard)) {
      table_.push_back(static_cast<float>(value));
    }
  }
  std::size_t pass() {
    std::size_t produced = 0;
    for (std::size_t channel = 0; channel < kChannels; ++channel) produced = resample(channel);
    position_ += static_cast<std::int64_t>(produced) * plan_.down - static_cast<std::int64_t>(kFrames) * plan_.up;
    return produced;
  }

 private:
  std::size_t resample(std::size_t channel) {
    float* const history = history_.data() + channel * (plan_.taps + kFrames);
    float* const out = out_.data() + channel * kRoom;
    std::copy_n(block_.in().row(channel), kFrames, history + plan_.taps);
    std::size_t produced = 0;
    for (std::int64_t at = position_; at < static_cast<std::int64_t>(kFrames) * plan_.up; at += plan_.down) {
      const float* const row = table_.data() + static_cast<std::size_t>(at % plan_.up) * plan_.taps;
      const float* const window = history + at / plan_.up + 1;
      float sum = 0.0F;
      for (std::size_t tap = 0; tap < plan_.taps; ++tap) sum += row[tap] * window[tap];
      out[produced++] = sum;
    }
    std::copy_n(history + kFrames, plan_.taps, history);
    return produced;
  }

  Block block_;
  std::vector<float> out_ = std::vector<float>(kChannels * kRoom);
  dsp::ResamplerPlan plan_;
  std::vector<float> table_;
  std::vector<float> history_;
  std::int64_t position_ = 0;
};

template <typename Library>
class Theirs {
 public:
  explicit Theirs(Rates rates) : library_(rates) {
    const Block block;
    for (std::size_t i = 0; i < in_.size(); ++i) in_[i] = block.in().row(i % kChannels)[i / kChannels];
  }
  std::size_t pass() { return library_.process(in_, out_); }

 private:
  std::vector<float> in_ = std::vector<float>(kChannels * kFrames);
  std::vector<float> out_ = std::vector<float>(kChannels * kRoom);
  Library library_;
};

// Raises unless about as many frames come out as should.
template <typename Subject>
void check(const std::string& name, Rates rates, Subject& subject) {
  constexpr int kBlocks = 200;
  std::size_t produced = 0;
  for (int i = 0; i < kBlocks; ++i) produced += subject.pass();
  const double expected = static_cast<double>(kBlocks * kFrames) * rates.to_hz / rates.from_hz;
  if (std::abs(static_cast<double>(produced) - expected) > 0.1 * expected)
    throw std::logic_error(name + " lost frames");
}

template <typename Subject, typename... Arguments>
void add(const std::string& name, Rates rates, Arguments... arguments) {
  const std::string group = "resampler/" + std::to_string(rates.from_hz) + " to " + std::to_string(rates.to_hz) + " Hz";
  const double items = static_cast<double>(kChannels * kFrames) * rates.to_hz / rates.from_hz;
  add_stateful_case(group, name, items, [=] {
    auto subject = std::make_unique<Subject>(rates, arguments...);
    check(name, rates, *subject);
    return subject;
  });
}

}  // namespace

void add_cases() {
  note("kernel", dsp::resampler_kernel().name);
  note("taps", std::to_string(2 * dsp::plan_resampler(44'100, 48'000, ResamplerQuality::kStandard).half_taps));
  for (const Rates rates : {Rates{44'100, 48'000}, Rates{48'000, 44'100}}) {
    add<Ours<float>>("neutone", rates, ResamplerQuality::kStandard);
    add<Ours<float>>("neutone low_latency", rates, ResamplerQuality::kLowLatency);
    add<Ours<double>>("neutone high", rates, ResamplerQuality::kHigh);
    add<Ours<float>>("neutone, denormals", rates, ResamplerQuality::kStandard, kDenormal);
    add<PlainLoop>("plain loop, as many taps", rates);
    const auto theirs = [rates]<typename Library>(const char* name) { add<Theirs<Library>>(name, rates); };
    each_resampler_library<kChannels>(theirs, [rates](const char* library, const char* package) {
      if (rates.to_hz == 48'000) note_missing(library, package);
    });
  }
}

}  // namespace neutone::bench
