#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "buffer.h"
#include "check.h"
#include "dsp/planar.h"
#include "dsp/resampler.h"

// Resamplers and rates for their tests.
namespace neutone::test {

using dsp::Resampler;
using dsp::ResamplerPlan;
using dsp::ResamplerQuality;

struct Rates {
  std::int64_t from_hz;
  std::int64_t to_hz;
};
inline constexpr std::array<Rates, 8> kRates{{{44'100, 48'000},
                                              {48'000, 44'100},
                                              {48'000, 16'000},
                                              {16'000, 48'000},
                                              {44'100, 47'999},
                                              {47'999, 44'100},
                                              {8'000, 192'000},
                                              {384'000, 22'050}}};

// All of `in` at once.
template <typename Real>
Buffer resampled(Resampler<Real>& resampler, const dsp::Planar<const float>& in) {
  const auto [up, down] = std::pair(resampler.plan().up, resampler.plan().down);
  const auto frames = static_cast<std::size_t>(static_cast<std::int64_t>(in.frames) * up / down);
  Buffer out(in.channels, frames);
  const auto moved = resampler.process(in, out.planar());
  CHECK(moved.consumed == in.frames);
  CHECK(moved.produced == frames);
  return out;
}

// A resampler that views memory of its own, at the start of its stream.
struct Viewed {
  ResamplerPlan plan;
  std::vector<float> table;
  Buffer history;
  dsp::ResamplerCursor cursor;
  dsp::ResamplerView<float> view;

  Viewed(const Rates& rates, std::size_t channels)
      : plan(dsp::plan_resampler(rates.from_hz, rates.to_hz, ResamplerQuality::kStandard)),
        history(channels, dsp::ResamplerView<float>::history_frames(plan)),
        view(plan, filled(table, plan), history.planar(), cursor) {
    view.start(plan.down - 1);
  }

 private:
  static const float* filled(std::vector<float>& table, const ResamplerPlan& plan) {
    for (const double value : dsp::design_resampler(plan, ResamplerQuality::kStandard)) {
      table.push_back(static_cast<float>(value));
    }
    return table.data();
  }
};

}  // namespace neutone::test
