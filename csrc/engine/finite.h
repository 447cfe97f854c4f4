#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "../dsp/planar.h"
#include "../dsp/realtime.h"

namespace neutone::engine {

// Neither infinite nor not a number. By its bits: compilers may take comparisons for granted, and these vectorise.
[[nodiscard]] constexpr bool is_finite(float value) noexcept NEUTONE_NONBLOCKING {
  constexpr std::uint32_t kExponent = 0x7F80'0000;
  return (std::bit_cast<std::uint32_t>(value) & kExponent) != kExponent;
}

// Puts 0 in place of samples that are not finite. Frame stride 1.
inline void mute_non_finite(const dsp::Planar<float>& audio) noexcept NEUTONE_NONBLOCKING {
  for (std::size_t channel = 0; channel < audio.channels; ++channel) {
    float* const row = audio.row(channel);
    for (std::size_t frame = 0; frame < audio.frames; ++frame) row[frame] = is_finite(row[frame]) ? row[frame] : 0.0F;
  }
}

// Frame stride 1.
[[nodiscard]] inline bool are_finite(const dsp::Planar<float>& audio) noexcept NEUTONE_NONBLOCKING {
  std::uint32_t n_others = 0;
  for (std::size_t channel = 0; channel < audio.channels; ++channel) {
    const float* const row = audio.row(channel);
    for (std::size_t frame = 0; frame < audio.frames; ++frame) n_others += is_finite(row[frame]) ? 0U : 1U;
  }
  return n_others == 0;
}

// Any strides.
inline void silence(const dsp::Planar<float>& audio) noexcept NEUTONE_NONBLOCKING {
  constexpr float kSilence = 0.0F;
  dsp::copy_frames<float>({&kSilence, audio.channels, audio.frames, 0, 0}, audio);
}

}  // namespace neutone::engine
