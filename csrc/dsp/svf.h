#pragma once

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

#include "flush_to_zero.h"
#include "planar.h"
#include "realtime.h"
#include "svf_design.h"
#include "svf_kernels.h"

namespace neutone::dsp {

// Whether a state-variable filter can run at that rate.
[[nodiscard]] constexpr bool is_svf_rate(double sample_rate_hz) noexcept {
  return sample_rate_hz >= kMinSvfRateHz && sample_rate_hz <= kMaxSvfRateHz;
}

// State-variable filter of two trapezoidal integrators without delay in their feedback, over state that it does not
// own, one element a channel. Cutoff, resonance and mix may change with every frame, by any amount: without input the
// energy in the integrators never grows. Controls outside their ranges (svf_design.h) are moved to the nearest bound;
// NaN stands for the value of the frame before, and at the start of a stream for the lowest cutoff and resonance, and a
// mix of nothing. NaN and infinity in the audio come out, on their channel, and with the next frame the channel starts
// anew. How the stream is cut changes no bit of the output. [one thread at a time]
class SvfView {
 public:
  // `sample_rate_hz` must be one that is_svf_rate accepts; `states` may hold any numbers.
  SvfView(double sample_rate_hz, SvfState* states, std::size_t channels) noexcept
      : sample_rate_hz_(sample_rate_hz), states_(states), channels_(channels) {}

  // Filters a block of the filter's channels and as many frames as `in` has; `out` may be the same memory. [no
  // allocation]
  void process(const Planar<const float>& in, const SvfControls& controls,
               const Planar<float>& out) noexcept NEUTONE_NONBLOCKING {
    const ScopedFlushToZero flush;  // what rings on decays past the smallest normal number, a double too
    svf_kernel().run(SvfRun{in, controls, out, states_, sample_rate_hz_});
  }
  // Forgets all audio and controls. [wait-free]
  void reset() noexcept NEUTONE_NONBLOCKING { std::fill_n(states_, channels_, SvfState{}); }
  // In samples. The delay of the phase response is the prototype's.
  [[nodiscard]] static constexpr std::size_t latency() noexcept { return 0; }
  [[nodiscard]] std::size_t channels() const noexcept { return channels_; }

 private:
  double sample_rate_hz_;
  SvfState* states_;
  std::size_t channels_;
};

// A state-variable filter that owns its state.
class Svf {
 public:
  // Throws std::invalid_argument if the rate is outside 1..768000 Hz, or there is no channel. [allocates]
  Svf(double sample_rate_hz, std::size_t channels)
      : states_(checked_channels(channels)), view_(checked_rate(sample_rate_hz), states_.data(), channels) {}
  Svf(const Svf&) = delete;
  Svf& operator=(const Svf&) = delete;
  ~Svf() = default;

  // See SvfView::process. [no allocation]
  void process(const Planar<const float>& in, const SvfControls& controls,
               const Planar<float>& out) noexcept NEUTONE_NONBLOCKING {
    view_.process(in, controls, out);
  }
  // Forgets all audio and controls. [wait-free]
  void reset() noexcept NEUTONE_NONBLOCKING { view_.reset(); }
  [[nodiscard]] static constexpr std::size_t latency() noexcept { return SvfView::latency(); }
  [[nodiscard]] const std::vector<SvfState>& states() const noexcept { return states_; }

 private:
  static std::size_t checked_channels(std::size_t channels) {
    if (channels == 0) throw std::invalid_argument("channels must be at least 1, got 0");
    return channels;
  }
  static double checked_rate(double sample_rate_hz) {
    if (is_svf_rate(sample_rate_hz)) return sample_rate_hz;
    throw std::invalid_argument("sample_rate_hz must be in 1..768000, got " + std::to_string(sample_rate_hz));
  }

  std::vector<SvfState> states_;
  SvfView view_;
};

}  // namespace neutone::dsp
