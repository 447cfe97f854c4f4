#include "gap_filler.h"

#include <algorithm>
#include <cstddef>

namespace neutone::engine {

void GapFiller::start() noexcept NEUTONE_NONBLOCKING { *this = GapFiller(n_fading_, n_unheard_); }

void GapFiller::process(const dsp::Planar<float>& audio, const dsp::Planar<const float>& other,
                        Frames kind) noexcept NEUTONE_NONBLOCKING {
  if (audio.frames == 0) return;
  if (kind != before_ && (kind == Frames::kMissing || before_ == Frames::kRight)) {  // a gap begins
    before_gap_ = latest_;
    n_missing_ = 0;
    n_returned_ = 0;
  }
  before_ = kind;
  if (kind != Frames::kRight) fill(audio, other, kind);
  for (std::size_t channel = 0; channel < audio.channels; ++channel) {
    latest_[channel] = *audio.slice_frames(audio.frames - 1, 1).row(channel);
  }
}

void GapFiller::fill(const dsp::Planar<float>& audio, const dsp::Planar<const float>& other,
                     Frames kind) noexcept NEUTONE_NONBLOCKING {
  const bool is_returning = kind == Frames::kReturning;
  for (std::size_t channel = 0; channel < audio.channels; ++channel) {
    float* sample = audio.row(channel);
    const float* substitute = other.data == nullptr ? nullptr : other.row(channel);
    for (std::size_t frame = 0; frame < audio.frames; ++frame, sample += audio.frame_stride) {
      const std::size_t age = std::min(n_missing_ + frame + 1, kFadeFrames);
      const float held = 1.0F - static_cast<float>(age) / static_cast<float>(kFadeFrames);
      float filling = substitute == nullptr ? 0.0F : *substitute;
      filling += held * (before_gap_[channel] - filling);
      if (is_returning) {
        const std::size_t returned = n_returned_ + frame + 1;
        const std::size_t part = std::min(returned - std::min(returned, n_unheard_), n_fading_);
        const float gain = static_cast<float>(part) / static_cast<float>(n_fading_ + 1);
        filling += gain * (*sample - filling);
      }
      *sample = filling;
      if (substitute != nullptr) substitute += other.frame_stride;
    }
  }
  n_missing_ = std::min(n_missing_ + audio.frames, kFadeFrames);
  if (is_returning) n_returned_ += audio.frames;
}

}  // namespace neutone::engine
