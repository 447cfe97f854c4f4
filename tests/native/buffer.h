#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "dsp/planar.h"

namespace neutone::test {

enum class Layout : std::uint8_t { kContiguous, kInterleaved, kGapped, kBackwards };
inline constexpr std::array kLayouts{Layout::kContiguous, Layout::kInterleaved, Layout::kGapped, Layout::kBackwards};

// Audio that owns its memory, laid out in one of the ways that strides can describe. Starts filled with kUntouched. Of
// exactly the size that it needs, so that sanitizers see who leaves it.
class Buffer {
 public:
  static constexpr float kUntouched = -12345.0F;

  Buffer(std::size_t channels, std::size_t frames, Layout layout = Layout::kContiguous)
      : samples_((layout == Layout::kGapped ? kGap : 1) * channels * frames, kUntouched) {
    const auto rows = static_cast<std::ptrdiff_t>(channels);
    const auto length = static_cast<std::ptrdiff_t>(frames);
    planar_ = {samples_.data(), channels, frames, length, 1};
    if (layout == Layout::kInterleaved) planar_ = {samples_.data(), channels, frames, 1, rows};
    if (layout == Layout::kGapped) planar_ = {samples_.data(), channels, frames, kGap * length, kGap};
    if (layout == Layout::kBackwards && !samples_.empty()) {
      planar_ = {&samples_.back(), channels, frames, -length, -1};
    }
  }

  [[nodiscard]] dsp::Planar<float> planar() const noexcept { return planar_; }
  [[nodiscard]] dsp::Planar<float> first(std::size_t frames) const noexcept { return planar_.slice_frames(0, frames); }
  [[nodiscard]] dsp::Planar<float> last(std::size_t frames) const noexcept {
    return planar_.slice_frames(planar_.frames - frames, frames);
  }

 private:
  static constexpr std::ptrdiff_t kGap = 3;
  std::vector<float> samples_;
  dsp::Planar<float> planar_;
};

template <typename Sample>
[[nodiscard]] Sample& at(const dsp::Planar<Sample>& planar, std::size_t channel, std::size_t frame) noexcept {
  return planar.row(channel)[static_cast<std::ptrdiff_t>(frame) * planar.frame_stride];
}

}  // namespace neutone::test
