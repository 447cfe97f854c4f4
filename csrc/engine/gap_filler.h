#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "../dsp/planar.h"
#include "../dsp/realtime.h"

namespace neutone::engine {

// Puts silence, or another signal, where output is missing, without a step at either end: the last sample before a gap
// fades away within it, and what comes after fades in. Frames that are right pass untouched. How the stream is cut
// changes nothing. [audio, wait-free]
class GapFiller {
 public:
  static constexpr std::size_t kFadeFrames = 64;
  enum class Frames : std::uint8_t { kRight, kMissing, kReturning };

  // What returns fades in over `n_fading` frames, behind `n_unheard` that are of no use yet.
  explicit GapFiller(std::size_t n_fading = kFadeFrames, std::size_t n_unheard = 0)
      : n_fading_(n_fading), n_unheard_(n_unheard) {}

  // Forgets all audio.
  void start() noexcept NEUTONE_NONBLOCKING;
  // Looks after the next frames. `other` has as many, or no data: silence. Those that are missing may hold
  // any numbers.
  void process(const dsp::Planar<float>& audio, const dsp::Planar<const float>& other,
               Frames kind) noexcept NEUTONE_NONBLOCKING;

 private:
  static constexpr std::size_t kMaxChannels = 2;

  void fill(const dsp::Planar<float>& audio, const dsp::Planar<const float>& other,
            Frames kind) noexcept NEUTONE_NONBLOCKING;

  std::size_t n_fading_;
  std::size_t n_unheard_;
  std::size_t n_missing_ = 0;   // frames since the gap began
  std::size_t n_returned_ = 0;  // of those, since it ended
  Frames before_ = Frames::kRight;
  std::array<float, kMaxChannels> latest_{};      // of each channel, what went out last
  std::array<float, kMaxChannels> before_gap_{};  // the same when the gap began
};

}  // namespace neutone::engine
