#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "../dsp/aligned_buffer.h"
#include "../dsp/planar.h"
#include "../dsp/realtime.h"
#include "lane.h"
#include "model.h"

namespace neutone::engine {

// Plays one lane, and goes over to another while it plays: the new one is fed from the next callback on, and fades in
// as soon as its own output begins, behind its latency. The control thread says which lane it wants; the audio thread
// says which it uses, and the others may be freed.
class LaneSwitch {
 public:
  // `latency` is kept at that of the lane that plays. [control, allocates]
  LaneSwitch(const HostFormat& host, Lane& first, std::atomic<std::size_t>& latency);

  // Goes over to this lane; again to one of those before, if it is still there. [control, wait-free]
  void want(Lane& lane) noexcept { wanted_.store(&lane); }
  // Whether the audio thread may touch it. [control, wait-free]
  [[nodiscard]] bool needs(const Lane* lane) const noexcept;

  // One callback, as Engine::process has it; returns how many frames are missing. [audio, wait-free, or waits]
  [[nodiscard]] std::size_t process(const dsp::Planar<const float>& in, const dsp::Planar<const float>& params,
                                    const dsp::Planar<float>& out) noexcept NEUTONE_NONBLOCKING;
  // Forgets all audio; what was to come next plays at once. [audio, wait-free]
  void restart() noexcept NEUTONE_NONBLOCKING;

 private:
  [[nodiscard]] Lane* playing() const noexcept NEUTONE_NONBLOCKING { return playing_.load(std::memory_order_relaxed); }
  [[nodiscard]] Lane* next() const noexcept NEUTONE_NONBLOCKING { return next_.load(std::memory_order_relaxed); }
  // Sees to it that the lane that is wanted comes next.
  void look_for_wanted() noexcept NEUTONE_NONBLOCKING;
  // The next lane plays from now on, alone.
  void take_over() noexcept NEUTONE_NONBLOCKING;
  // Plays the next lane too, into the frames of `out` from where its own output begins.
  [[nodiscard]] std::size_t fade(const dsp::Planar<float>& out) noexcept NEUTONE_NONBLOCKING;
  void mix(const dsp::Planar<const float>& in, const dsp::Planar<float>& out) noexcept NEUTONE_NONBLOCKING;

  std::size_t fade_frames_;
  std::size_t max_block_frames_;
  dsp::AlignedBuffer<float> next_out_;
  std::atomic<std::size_t>& latency_;
  std::size_t faded_ = 0;  // frames of the fade that have gone out

  // The audio thread writes down what it is about to use before it makes sure that it is still wanted; the control
  // thread writes down what it wants before it looks at what is in use. In one order for all: one of them sees the
  // other.
  std::atomic<Lane*> wanted_;
  std::atomic<Lane*> playing_;
  std::atomic<Lane*> next_{nullptr};
};

}  // namespace neutone::engine
