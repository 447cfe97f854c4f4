#pragma once

#include <algorithm>
#include <cstddef>

#include "channels.h"
#include "flush_to_zero.h"
#include "planar.h"
#include "realtime.h"
#include "resampler.h"
#include "spsc_ring.h"

// Between a host and a model that run at different rates: a ring of frames at the model's rate, with a resampler at the
// end where the host is.
namespace neutone::dsp {

// Queues a block of the host. The ring must have room for resampler.ready_after(audio.frames) frames, as many are
// queued, and the resampler its channels. [producer, no allocation]
inline void write_resampled(const Planar<const float>& audio, ResamplerView<float>& resampler,
                            RingView<float>& ring) noexcept NEUTONE_NONBLOCKING {
  const ScopedFlushToZero flush;
  const RingView<float>::Region queued = ring.reserve(resampler.ready_after(audio.frames));
  std::size_t produced = 0;
  for (std::size_t consumed = 0; true;) {
    const RingView<float>::Region part = queued.slice_frames(produced, resampler.ready());
    for (const Planar<float>& to : {part.head, part.tail}) {
      resampler.filter(to);
      resampler.advance(to.frames);
    }
    produced += part.frames();
    const Planar<float> room = resampler.reserve(audio.frames - consumed);
    if (room.frames == 0) break;
    fit_channels<float>(audio.slice_frames(consumed, room.frames), room);
    resampler.publish(room.frames);
    consumed += room.frames;
  }
  ring.publish(produced);
}

// Takes from the ring what the next `out.frames` frames of the host need, and puts those out. The ring must hold
// resampler.missing(out.frames) frames, and `out` have its channels. [consumer, no allocation]
inline void read_resampled(RingView<float>& ring, ResamplerView<float>& resampler,
                           const Planar<float>& out) noexcept NEUTONE_NONBLOCKING {
  const ScopedFlushToZero flush;
  for (std::size_t produced = 0; true;) {
    const std::size_t count = std::min(resampler.ready(), out.frames - produced);
    resampler.filter(out.slice_frames(produced, count));
    resampler.advance(count);
    produced += count;
    const Planar<float> room = resampler.reserve(resampler.missing(out.frames - produced));
    if (room.frames == 0) return;
    const std::size_t taken = ring.read(room);
    resampler.publish(taken);
  }
}

}  // namespace neutone::dsp
