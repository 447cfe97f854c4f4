// How cost grows: a block through each unit, against frames, channels, taps, sections and knobs.
//
// Groups are named scaling/UNIT by QUANTITY, contenders by the quantity's value.

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "blocks.h"
#include "dsp/biquad.h"
#include "dsp/biquad_design.h"
#include "dsp/fir.h"
#include "dsp/parameters.h"
#include "dsp/resampler.h"
#include "dsp/spsc_ring.h"
#include "dsp/svf.h"
#include "suite.h"

namespace neutone::bench {
namespace {

struct Size {
  std::size_t channels = kChannels;
  std::size_t frames = kFrames;
};

class Ring {
 public:
  explicit Ring(Size size) : block_(1.0F, size.channels, size.frames), ring_(size.channels, 2 * size.frames) {}
  void pass() {
    ::benchmark::DoNotOptimize(ring_->write(block_.in()));
    ::benchmark::DoNotOptimize(ring_->read(block_.out()));
  }

 private:
  Block block_;
  dsp::SpscRing<float> ring_;
};

class Resample {
 public:
  explicit Resample(Size size)
      : block_(1.0F, size.channels, size.frames),
        room_(1.0F, size.channels, 2 * size.frames),
        resampler_(44'100, 48'000, dsp::ResamplerQuality::kStandard, size.channels) {}
  void pass() { ::benchmark::DoNotOptimize(resampler_.process(block_.in(), room_.out())); }

 private:
  Block block_;
  Block room_;
  dsp::Resampler<float> resampler_;
};

class Biquads {
 public:
  explicit Biquads(Size size, std::size_t n_sections = 4)
      : block_(1.0F, size.channels, size.frames),
        filter_(std::vector(n_sections, design_butterworth(dsp::FilterBand::lowpass(0.02), 2)[0]), size.channels) {}
  void pass() { filter_.process(block_.in(), block_.out()); }

 private:
  Block block_;
  dsp::BiquadCascade filter_;
};

class StateVariable {
 public:
  explicit StateVariable(Size size) : block_(1.0F, size.channels, size.frames), filter_(48'000.0, size.channels) {}
  void pass() {
    const auto constant = [this](const float& value) {
      return dsp::Planar<const float>{&value, block_.in().channels, block_.in().frames, 0, 0};
    };
    filter_.process(block_.in(),
                    {constant(cutoff_hz_), constant(resonance_), constant(one_), constant(one_), constant(one_)},
                    block_.out());
  }

 private:
  float cutoff_hz_ = 1000.0F;
  float resonance_ = 1.0F;
  float one_ = 1.0F;
  Block block_;
  dsp::Svf filter_;
};

class FirFilter {
 public:
  explicit FirFilter(Size size, std::size_t n_taps = 257)
      : block_(1.0F, size.channels, size.frames), fir_(std::vector<double>(n_taps, 1e-3), size.channels) {}
  void pass() { fir_.process(block_.in(), block_.out()); }

 private:
  Block block_;
  dsp::Fir fir_;
};

// A channel stands for a knob.
class Knobs {
 public:
  explicit Knobs(Size size) : block_(0.5F, size.channels, size.frames), before_(size.channels) {}
  void pass() {
    for (std::size_t knob = 0; knob < before_.size(); ++knob) {
      ::benchmark::DoNotOptimize(dsp::mean_cleaned(block_.in().row(knob), 1, block_.in().frames, before_[knob]));
    }
  }

 private:
  Block block_;
  std::vector<float> before_;
};

template <typename Unit, typename... Arguments>
void add(const std::string& group, std::size_t value, Arguments... arguments) {
  add_stateful_case("scaling/" + group, std::to_string(value), 1.0,
                    [=] { return std::make_unique<Unit>(arguments...); });
}

template <typename Unit>
void add_sizes(const std::string& unit, const std::string& channels = "channels") {
  const std::string by = unit + " by ";
  for (const std::size_t frames : {64U, 128U, 256U, 512U, 1024U, 2048U, 4096U}) {
    add<Unit>(by + "frames", frames, Size{kChannels, frames});
  }
  for (const std::size_t count : {1U, 2U, 4U, 8U, 16U}) add<Unit>(by + channels, count, Size{count});
}

}  // namespace

void add_cases() {
  add_sizes<Ring>("ring");
  add_sizes<Resample>("resampler");
  add_sizes<Biquads>("biquads");
  add_sizes<StateVariable>("svf");
  add_sizes<FirFilter>("fir");
  add_sizes<Knobs>("parameters", "knobs");
  for (const std::size_t sections : {4U, 8U, 16U, 32U}) {
    add<Biquads>("biquads by sections", sections, Size{}, sections);
  }
  for (const std::size_t taps : {31U, 63U, 127U, 255U, 511U, 1023U, 4095U, 16'383U}) {
    add<FirFilter>("fir by taps", taps, Size{}, taps);
  }
}

}  // namespace neutone::bench
