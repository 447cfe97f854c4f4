#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "biquad_section.h"
#include "simd.h"

// Sections of a biquad cascade on a stretch of frames in double; for biquad_kernel.h only.
namespace neutone::dsp {

// Sections in series on some channels, with the state of all of them: [channel][section][2].
struct BiquadRun {
  std::span<const BiquadSection> sections;
  double* state = nullptr;

  [[nodiscard]] double* state_of(std::size_t channel, std::size_t section) const noexcept {
    return state + (channel * sections.size() + section) * 2;
  }
};

namespace kernel {

// Frames that are filtered in one go, in double from the first section to the last.
inline constexpr std::size_t kBiquadFrames = 256;
using Frames = std::array<double, kBiquadFrames>;

inline constexpr std::size_t kLanes = 4;
using Doubles = Vector<double, kLanes>;

// The transposed direct form II as a state space, because its state then does not wait for its output:
//
//   y = b0 x + s1,   s1' = (b1 - a1 b0) x - a1 s1 + s2,   s2' = (b2 - a2 b0) x - a2 s1
//
// A vector has a section in every lane, or so many of one channel and then those of the next.
struct SectionVector {
  Doubles b0{};
  Doubles input1{};
  Doubles input2{};
  Doubles feedback1{};
  Doubles feedback2{};

  NEUTONE_ALWAYS_INLINE explicit SectionVector(const std::array<BiquadSection, kLanes>& lanes) noexcept {
    const auto gather = [&lanes](const auto& coefficient_of, Doubles& to) {
      std::array<double, kLanes> values{};
      std::ranges::transform(lanes, values.begin(), coefficient_of);
      load(values.data(), to);
    };
    gather([](const BiquadSection& s) { return s.b0; }, b0);
    gather([](const BiquadSection& s) { return s.b1 - s.a1 * s.b0; }, input1);
    gather([](const BiquadSection& s) { return s.b2 - s.a2 * s.b0; }, input2);
    gather([](const BiquadSection& s) { return -s.a1; }, feedback1);
    gather([](const BiquadSection& s) { return -s.a2; }, feedback2);
  }
};

#ifdef NEUTONE_HAS_VECTORS
using Mask = Vector<std::int64_t, kLanes>;

// Steps between the moment at which a frame is in one section and that at which it is in the next. With one, each step
// would have to wait for the last: a product, a sum and a shuffle.
inline constexpr std::size_t kSkew = 2;

// Every section's input: the output of the one before it, or a new frame.
template <std::size_t kSections>
NEUTONE_ALWAYS_INLINE void feed(const Doubles& outputs, const Doubles& frames, Doubles& inputs) noexcept {
  if constexpr (kSections == 4) {
    // In two steps, because one across the middle of the vector takes longer.
    const Doubles halves = __builtin_shufflevector(frames, outputs, 0, 1, 4, 5);
    inputs = __builtin_shufflevector(halves, outputs, 0, 4, 3, 6);
  } else if constexpr (kSections == 2) {
    inputs = __builtin_shufflevector(outputs, frames, 4, 0, 6, 2);
  } else {
    static_assert(kSections == 1);
    inputs = frames;
  }
}

// `kSections` sections on `kChannels` channels, a frame in every step.
template <std::size_t kSections, std::size_t kChannels>
class SectionPipeline {
 public:
  static constexpr std::size_t kPerVector = std::min(kChannels, kLanes / kSections);  // channels
  static constexpr std::size_t kVectors = kChannels / kPerVector;
  using State = std::array<Doubles, 2 * kVectors>;
  using Rows = std::array<double*, kChannels>;

  // In place, `count` frames of each row.
  NEUTONE_ALWAYS_INLINE static void run(const SectionVector& sections, State& state, const Rows& rows,
                                        std::size_t count) noexcept {
    SectionPipeline pipeline(state);
    std::size_t step = 0;
    for (; step < std::min(kFilling, count); ++step) pipeline.advance<true>(sections, rows, step, count);
    for (; step < count; ++step) pipeline.advance<false>(sections, rows, step, count);
    for (; step < count + kFilling; ++step) pipeline.advance<true>(sections, rows, step, count);
    state = pipeline.state_;
  }

 private:
  // Steps until all sections have something to do, and again from the end of the input to that of the output.
  static constexpr std::size_t kFilling = kSkew * (kSections - 1);

  NEUTONE_ALWAYS_INLINE explicit SectionPipeline(const State& state) noexcept : state_(state) {}

  template <bool kPartly>
  NEUTONE_ALWAYS_INLINE void advance(const SectionVector& sections, const Rows& rows, std::size_t step,
                                     std::size_t count) noexcept {
    for (std::size_t v = 0; v < kVectors; ++v) {
      Doubles frames{};
      for (std::size_t c = 0; c < kPerVector; ++c) {
        frames[c * kSections] = !kPartly || step < count ? rows[v * kPerVector + c][step] : 0.0;
      }
      Doubles inputs;
      feed<kSections>(earlier_[v], frames, inputs);
      Doubles& s1 = state_[2 * v];
      Doubles& s2 = state_[2 * v + 1];
      const Doubles outputs = sections.b0 * inputs + s1;
      const Doubles new_s1 = sections.feedback1 * s1 + (sections.input1 * inputs + s2);
      const Doubles new_s2 = sections.feedback2 * s1 + sections.input2 * inputs;
      if constexpr (kPartly) {
        Mask is_busy;
        busy(step, count, is_busy);
        s1 = is_busy ? new_s1 : s1;
        s2 = is_busy ? new_s2 : s2;
      } else {
        s1 = new_s1;
        s2 = new_s2;
      }
      if (!kPartly || step >= kFilling) {
        for (std::size_t c = 0; c < kPerVector; ++c) {
          rows[v * kPerVector + c][step - kFilling] = outputs[c * kSections + kSections - 1];
        }
      }
      earlier_[v] = last_[v];
      last_[v] = outputs;
    }
  }

  // Which sections have a frame in this step.
  NEUTONE_ALWAYS_INLINE static void busy(std::size_t step, std::size_t count, Mask& mask) noexcept {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const std::size_t begin = kSkew * (lane % kSections);
      mask[lane] = step >= begin && step < begin + count ? -1 : 0;
    }
  }

  State state_;
  std::array<Doubles, kVectors> last_{};     // outputs of the last step
  std::array<Doubles, kVectors> earlier_{};  // and of the one before
};

// Up to kSections sections, from `first` on; lanes that are left over pass on what they get.
template <std::size_t kSections, std::size_t kChannels>
NEUTONE_ALWAYS_INLINE void run_group(const BiquadRun& run, std::size_t first, std::size_t channel,
                                     std::array<Frames, kChannels>& frames, std::size_t count) noexcept {
  using Pipeline = SectionPipeline<kSections, kChannels>;
  const std::size_t n_sections = std::min(kSections, run.sections.size() - first);
  std::array<BiquadSection, kLanes> lanes{};
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    if (lane % kSections < n_sections) lanes[lane] = run.sections[first + lane % kSections];
  }
  const SectionVector sections(lanes);
  typename Pipeline::State state{};
  typename Pipeline::Rows rows{};
  const auto each_lane = [&](const auto& visit) {
    for (std::size_t c = 0; c < kChannels; ++c) {
      for (std::size_t section = 0; section < n_sections; ++section) {
        const std::size_t lane = c % Pipeline::kPerVector * kSections + section;
        const std::size_t vector = 2 * (c / Pipeline::kPerVector);
        visit(run.state_of(channel + c, first + section), vector, lane);
      }
    }
  };
  for (std::size_t c = 0; c < kChannels; ++c) rows[c] = frames[c].data();
  each_lane([&state](const double* stored, std::size_t vector, std::size_t lane) {
    state[vector][lane] = stored[0];
    state[vector + 1][lane] = stored[1];
  });
  Pipeline::run(sections, state, rows, count);
  each_lane([&state](double* stored, std::size_t vector, std::size_t lane) {
    stored[0] = state[vector][lane];
    stored[1] = state[vector + 1][lane];
  });
}

template <std::size_t kChannels>
NEUTONE_ALWAYS_INLINE void run_pipelines(const BiquadRun& run, std::size_t channel,
                                         std::array<Frames, kChannels>& frames, std::size_t count) noexcept {
  const std::size_t n_sections = run.sections.size();
  for (std::size_t first = 0; first < n_sections; first += 4) {
    if (n_sections - first >= 3) {
      run_group<4>(run, first, channel, frames, count);
    } else if (n_sections - first == 2) {
      run_group<2>(run, first, channel, frames, count);
    } else {
      run_group<1>(run, first, channel, frames, count);
    }
  }
}
#else
// Named where nobody calls it.
template <std::size_t kChannels>
void run_pipelines(const BiquadRun& run, std::size_t channel, std::array<Frames, kChannels>& frames,
                   std::size_t count) noexcept;
#endif

// One section after the other: for processors, and compilers, without vectors of four doubles.
template <std::size_t kChannels>
NEUTONE_ALWAYS_INLINE void run_one_by_one(const BiquadRun& run, std::size_t channel,
                                          std::array<Frames, kChannels>& frames, std::size_t count) noexcept {
  for (std::size_t section = 0; section < run.sections.size(); ++section) {
    const BiquadSection s = run.sections[section];
    const double input1 = s.b1 - s.a1 * s.b0;
    const double input2 = s.b2 - s.a2 * s.b0;
    std::array<double, kChannels> s1{};
    std::array<double, kChannels> s2{};
    for (std::size_t c = 0; c < kChannels; ++c) {
      s1[c] = run.state_of(channel + c, section)[0];
      s2[c] = run.state_of(channel + c, section)[1];
    }
    for (std::size_t frame = 0; frame < count; ++frame) {
      for (std::size_t c = 0; c < kChannels; ++c) {
        const double input = frames[c][frame];
        frames[c][frame] = s.b0 * input + s1[c];
        const double new_s1 = (input1 * input + s2[c]) - s.a1 * s1[c];
        s2[c] = input2 * input - s.a2 * s1[c];
        s1[c] = new_s1;
      }
    }
    for (std::size_t c = 0; c < kChannels; ++c) {
      run.state_of(channel + c, section)[0] = s1[c];
      run.state_of(channel + c, section)[1] = s2[c];
    }
  }
}

}  // namespace kernel
}  // namespace neutone::dsp
