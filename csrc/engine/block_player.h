#pragma once

#include <cstddef>
#include <cstdint>

#include "../dsp/aligned_buffer.h"
#include "../dsp/planar.h"
#include "../dsp/realtime.h"
#include "../dsp/resampler.h"
#include "block_reader.h"
#include "gap_filler.h"
#include "model.h"

namespace neutone::engine {

// Turns a model's blocks into what a host hears, and says how much of it is missing. [audio, wait-free unless the
// reader waits]
class BlockPlayer {
 public:
  // `to_host` resamples, or is null at equal rates. Both outlive this. [allocates]
  BlockPlayer(const HostFormat& host, const ModelFormat& format, BlockReader& reader, dsp::Resampler<float>* to_host);

  // Starts behind the reader's start: with the frame at `first_step`, in steps of the resampler's, of which the reader
  // puts `n_silent` frames in front.
  void start(std::int64_t first_step, std::size_t n_silent) noexcept NEUTONE_NONBLOCKING;
  // The next frames of the host's, at most its largest block. `other` is what stands in for missing ones: as many
  // frames, or no data for silence. Returns how many were not right.
  [[nodiscard]] std::size_t pull(const dsp::Planar<float>& out,
                                 const dsp::Planar<const float>& other) noexcept NEUTONE_NONBLOCKING;

 private:
  using Frames = GapFiller::Frames;

  // What the next frames of the model make of the output that needs them, and how many of the `count` to take at once.
  [[nodiscard]] Frames judge(bool is_missing, std::size_t& count) noexcept NEUTONE_NONBLOCKING;
  // Each writes the first frames of `out`, at least one unless it takes in some, and returns how many.
  [[nodiscard]] std::size_t copy_some(const dsp::Planar<float>& out) noexcept NEUTONE_NONBLOCKING;
  [[nodiscard]] std::size_t resample_some(const dsp::Planar<float>& out) noexcept NEUTONE_NONBLOCKING;
  void take_in(std::size_t missing) noexcept NEUTONE_NONBLOCKING;

  BlockReader& reader_;
  dsp::Resampler<float>* to_host_;
  std::size_t n_returning_;  // frames of the model after a gap whose output is not right yet
  std::size_t n_returning_left_ = 0;
  Frames kind_ = Frames::kRight;  // of what comes out now
  GapFiller filler_;
  dsp::AlignedBuffer<float> resampled_;  // where the model has other channels than the host
  std::size_t max_block_frames_;
};

}  // namespace neutone::engine
