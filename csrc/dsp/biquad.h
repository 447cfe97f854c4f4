#pragma once

#include <algorithm>
#include <complex>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "aligned_buffer.h"
#include "biquad_kernels.h"
#include "biquad_section.h"
#include "flush_to_zero.h"
#include "planar.h"
#include "realtime.h"

namespace neutone::dsp {

// Biquad sections in series on any number of channels, over sections and state that it does not own. State and
// arithmetic are float64: with float32 a high-pass at 20 Hz would be off by 4e-4. How the stream is cut changes no bit
// of the output. A sample that is not finite comes out as it is, and the filter goes on as after silence. [one thread
// at a time]
class BiquadView {
 public:
  // Numbers of state for so many sections and channels.
  [[nodiscard]] static constexpr std::size_t state_size(std::size_t sections, std::size_t channels) noexcept {
    return 2 * sections * channels;
  }

  // `state` has state_size(sections.size(), channels) numbers; zeros are a fresh start.
  BiquadView(std::span<const BiquadSection> sections, double* state, std::size_t channels) noexcept
      : run_{sections, state}, channels_(channels) {}

  // Filters `out.frames` frames. Both sides have the channels of the state, and may be the same memory. [no allocation]
  void process(const Planar<const float>& in, const Planar<float>& out) const noexcept NEUTONE_NONBLOCKING {
    const ScopedFlushToZero flush;
    biquad_kernel().run(run_, in, out);
  }
  // Forgets all audio. [no allocation]
  void reset() const noexcept NEUTONE_NONBLOCKING {
    std::fill_n(run_.state, state_size(run_.sections.size(), channels_), 0.0);
  }
  // By how many samples the filter makes the output late, besides what its phase does.
  [[nodiscard]] static constexpr std::size_t latency() noexcept { return 0; }

 private:
  BiquadRun run_;
  std::size_t channels_;
};

// A cascade that owns its sections and state.
class BiquadCascade {
 public:
  // Throws std::invalid_argument if there is no channel, or a section whose poles are not inside the unit circle.
  // [allocates]
  BiquadCascade(std::span<const BiquadSection> sections, std::size_t channels)
      : sections_(checked(sections, channels)),
        state_(std::max<std::size_t>(1, BiquadView::state_size(sections.size(), channels))),
        view_(sections_, state_.data(), channels) {}
  BiquadCascade(const BiquadCascade&) = delete;
  BiquadCascade& operator=(const BiquadCascade&) = delete;
  ~BiquadCascade() = default;

  // See BiquadView::process. [no allocation]
  void process(const Planar<const float>& in, const Planar<float>& out) noexcept NEUTONE_NONBLOCKING {
    view_.process(in, out);
  }
  // Forgets all audio. [no allocation]
  void reset() noexcept NEUTONE_NONBLOCKING { view_.reset(); }
  [[nodiscard]] static constexpr std::size_t latency() noexcept { return BiquadView::latency(); }
  // The frequency response at `normalized_freq` cycles per sample, 0 to 0.5.
  [[nodiscard]] std::complex<double> response(double normalized_freq) const noexcept {
    return dsp::response(sections_, normalized_freq);
  }

 private:
  static std::vector<BiquadSection> checked(std::span<const BiquadSection> sections, std::size_t channels) {
    if (channels == 0) throw std::invalid_argument("a filter needs at least one channel, got 0");
    for (std::size_t i = 0; i < sections.size(); ++i) {
      if (is_stable(sections[i])) continue;
      throw std::invalid_argument(
          "section " + std::to_string(i) + " is unstable: a1 = " + std::to_string(sections[i].a1) +
          ", a2 = " + std::to_string(sections[i].a2) + "; poles must lie inside the unit circle");
    }
    return {sections.begin(), sections.end()};
  }

  const std::vector<BiquadSection> sections_;
  const AlignedBuffer<double> state_;
  BiquadView view_;
};

}  // namespace neutone::dsp
