// What every callback goes through, for valgrind's callgrind to count the instructions of: count.py runs it.
#include <valgrind/callgrind.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "buffer.h"
#include "dsp/biquad.h"
#include "dsp/channels.h"
#include "dsp/control_stream.h"
#include "dsp/fir.h"
#include "dsp/instruction_set.h"
#include "dsp/parameter_smoother.h"
#include "dsp/parameters.h"
#include "dsp/resampled_stream.h"
#include "dsp/resampler.h"
#include "dsp/spsc_ring.h"
#include "dsp/svf.h"

using neutone::dsp::Planar;
using neutone::dsp::SpscRing;
using neutone::test::Buffer;

namespace {

constexpr std::size_t kFrames = 512;
constexpr int kBlocks = 20;  // so that blocks of resamplers, which differ by a frame, and of long filters even out

// Counts what `block` takes for so many blocks, caches and branches left out. The dump is named after it.
template <typename Block>
void count(const char* name, const Block& block) {
  for (int i = 0; i < kBlocks; ++i) block();
  CALLGRIND_TOGGLE_COLLECT;
  for (int i = 0; i < kBlocks; ++i) block();
  CALLGRIND_TOGGLE_COLLECT;
  CALLGRIND_DUMP_STATS_AT(name);
}

// Values in 0..1, as parameters have them, or noise around 0.
Buffer noise(std::size_t channels, std::size_t frames, float lowest) {
  Buffer buffer(channels, frames);
  unsigned random = 1;
  for (std::size_t channel = 0; channel < channels; ++channel) {
    for (std::size_t frame = 0; frame < frames; ++frame) {
      random = random * 1'664'525U + 1'013'904'223U;
      const float share = static_cast<float>(random >> 8U) / 0x1p24F;
      neutone::test::at(buffer.planar(), channel, frame) = lowest + (1.0F - lowest) * share;
    }
  }
  return buffer;
}

void count_rings_and_channels() {
  SpscRing<float> ring(2, 4 * kFrames);
  const Buffer in = noise(2, kFrames, -1.0F);
  const Buffer mono = noise(1, kFrames, -1.0F);
  const Buffer out(2, kFrames);
  std::size_t passed = 0;
  count("ring", [&] { passed += ring->write(in.planar()) + ring->read(out.planar()); });
  if (passed == 0) std::abort();
  count("channels", [&] {
    neutone::dsp::fit_channels<float>(mono.planar(), out.planar());
    neutone::dsp::fit_channels<float>(in.planar(), mono.planar());
  });
}

void count_parameters() {
  const Buffer curves = noise(4, kFrames, 0.0F);
  const Buffer cleaned(4, kFrames);
  std::array<float, 4> before{};
  count("parameters cleaned", [&] {
    for (std::size_t i = 0; i < before.size(); ++i) {
      before.at(i) = neutone::dsp::copy_cleaned(curves.planar().row(i), 1, cleaned.planar().row(i), kFrames, 0.5F);
    }
  });
  count("parameters averaged", [&] {
    for (std::size_t i = 0; i < before.size(); ++i) {
      before.at(i) = neutone::dsp::mean_cleaned(curves.planar().row(i), 1, kFrames, before.at(i));
    }
  });
  neutone::dsp::ParameterSmoother smoother;
  double target = 0.0;
  count("parameter smoothed", [&] {
    target = 1.0 - target;
    smoother.process(neutone::dsp::Smoothing::kOnePole, 1000.0, target, kFrames,
                     [&](std::size_t i, double value) { cleaned.planar().row(0)[i] = static_cast<float>(value); });
  });
  SpscRing<float> ring(4, 2 * kFrames);
  static_cast<void>(ring->write(curves.planar()));
  constexpr std::array<bool, 4> kStepped{false, true, false, false};
  count("parameters carried", [&] {
    const auto waiting = ring->readable(kFrames);
    neutone::dsp::carry_controls(waiting, {160, 147, 5}, kStepped, cleaned.planar());
  });
}

void count_resamplers() {
  using neutone::dsp::ResamplerQuality;
  const Buffer in = noise(2, kFrames, -1.0F);
  const Buffer out(2, 2 * kFrames);
  for (const auto& [name, quality, to_hz] :
       {std::tuple{"resampler", ResamplerQuality::kStandard, 48'000},
        std::tuple{"resampler low_latency", ResamplerQuality::kLowLatency, 48'000},
        std::tuple{"resampler high", ResamplerQuality::kHigh, 48'000},
        std::tuple{"resampler interpolated", ResamplerQuality::kStandard, 47'999}}) {
    neutone::dsp::Resampler<float> resampler(44'100, to_hz, quality, 2);
    count(name, [&] { static_cast<void>(resampler.process(in.planar(), out.planar())); });
  }
}

void count_filters() {
  const Buffer audio = noise(2, kFrames, -1.0F);
  const Buffer out(2, kFrames);
  const std::vector<neutone::dsp::BiquadSection> sections(4, {0.1, 0.2, 0.1, -0.9, 0.3});
  neutone::dsp::BiquadCascade biquads(sections, 2);
  count("biquads", [&] { biquads.process(audio.planar(), out.planar()); });

  const std::array<float, 4> knobs{1000.0F, 0.7F, 1.0F, 0.0F};
  const auto knob = [&](std::size_t i) { return Planar<const float>{&knobs.at(i), 2, kFrames, 0, 0}; };
  neutone::dsp::Svf svf(48'000.0, 2);
  count("svf", [&] { svf.process(audio.planar(), {knob(0), knob(1), knob(2), knob(3), knob(3)}, out.planar()); });
  Buffer cutoff = noise(1, kFrames, 0.01F);
  for (std::size_t i = 0; i < kFrames; ++i) cutoff.planar().row(0)[i] *= 10'000.0F;
  const Planar<const float> curve{cutoff.planar().data, 2, kFrames, 0, 1};
  count("svf modulated",
        [&] { svf.process(audio.planar(), {curve, knob(1), knob(2), knob(3), knob(3)}, out.planar()); });

  for (const auto& [name, n_taps] : {std::pair{"fir direct", 64U}, std::pair{"fir partitioned", 8192U}}) {
    neutone::dsp::Fir fir(std::vector<double>(n_taps, 1.0 / n_taps), 2);
    count(name, [&] { fir.process(audio.planar(), out.planar()); });
  }
}

}  // namespace

int main() {
  try {
    // Counts of other instruction sets are others: whoever compares has to know.
    static const std::string sets = "instruction sets " + std::to_string(neutone::dsp::count_instruction_sets());
    CALLGRIND_DUMP_STATS_AT(sets.c_str());
    count_rings_and_channels();
    count_parameters();
    count_resamplers();
    count_filters();
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
