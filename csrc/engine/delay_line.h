#pragma once

#include <algorithm>
#include <cstddef>

#include "../dsp/channels.h"
#include "../dsp/planar.h"
#include "../dsp/realtime.h"
#include "../dsp/spsc_ring.h"
#include "finite.h"

namespace neutone::engine {

// Gives audio back a number of frames later, silence first. [audio, wait-free]
class DelayLine {
 public:
  // [allocates]
  DelayLine(std::size_t channels, std::size_t delay_frames, std::size_t max_block_frames)
      : ring_(channels, delay_frames + max_block_frames),
        delay_frames_(delay_frames),
        delayed_(channels * max_block_frames),
        max_block_frames_(max_block_frames) {
    start();
  }

  // Forgets all audio.
  void start() noexcept NEUTONE_NONBLOCKING {
    ring_->reset();
    n_silent_ = delay_frames_;
  }
  // Takes in a block of at most the largest, of any channels that fit.
  void push(const dsp::Planar<const float>& audio) noexcept NEUTONE_NONBLOCKING {
    const auto room = ring_->reserve(audio.frames);
    room.each_part(audio, [](const dsp::Planar<const float>& from, const dsp::Planar<float>& to) {
      dsp::fit_channels<float>(from, to);
      mute_non_finite(to);
    });
    ring_->publish(room.frames());
  }
  // The next frames, as many as were pushed; they stay until the next call.
  [[nodiscard]] dsp::Planar<const float> pull(std::size_t frames) noexcept NEUTONE_NONBLOCKING {
    const dsp::Planar<float> out{delayed_.data(), ring_->channels(), frames,
                                 static_cast<std::ptrdiff_t>(max_block_frames_), 1};
    const std::size_t n_silent = std::min(frames, n_silent_);
    silence(out.slice_frames(0, n_silent));
    n_silent_ -= n_silent;
    static_cast<void>(ring_->read(out.slice_frames(n_silent, frames - n_silent)));
    return out;
  }

 private:
  dsp::SpscRing<float> ring_;
  std::size_t delay_frames_;
  std::size_t n_silent_ = 0;
  dsp::AlignedBuffer<float> delayed_;
  std::size_t max_block_frames_;
};

}  // namespace neutone::engine
