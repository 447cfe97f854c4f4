#pragma once

#include <cstddef>
#include <span>

#include "aligned_buffer.h"
#include "fir_kernels.h"
#include "fir_plan.h"
#include "planar.h"
#include "realtime.h"

namespace neutone::dsp {

// Streaming FIR filter over memory that it does not own (see fir_plan.h), the same taps for all channels. Output frame
// n is the sum of tap k times input frame n - k: no latency beside that of the taps themselves. Long filters are
// computed by uniformly partitioned overlap-save convolution (W. G. Gardner, "Efficient convolution without
// input-output delay", J. Audio Eng. Soc. 43(3), 1995), the first partition directly. Partitions begin at fixed frames
// of the stream, so how it is cut changes no bit of the output; the work is spread over a block but for its last frame,
// with which a transform each way and one product are due.
//
// A frame that is not finite comes out as such and is gone after `taps` frames, if all taps are summed directly. Else
// it also spoils the blocks behind its own: output is clean again at the first frame of a block behind taps + 2 * block
// frames. Each channel has its own arithmetic. Denormals are flushed. [one thread at a time]
class FirView {
 public:
  // `table` has plan.table_size() numbers, `memory` plan.channel_size() frames of each channel, with a frame stride of
  // 1. `cursor` is one that at_start made, or that this class advanced, over such memory.
  FirView(const FirPlan& plan, const float* table, const Planar<float>& memory, FirCursor& cursor) noexcept
      : plan_(plan), table_(table), memory_(memory), cursor_(&cursor) {}

  // Filters as many frames as `out` has; `in` and `out` may be the same memory. [no allocation]
  void process(const Planar<const float>& in, const Planar<float>& out) noexcept NEUTONE_NONBLOCKING;

  // From the next frame on these plan.taps taps replace the ones in force, by a linear cross-fade: frame i of it is
  // mixed of (i + 1) / fade_frames of the new output and the rest of the old, and 0 frames are a hard cut. During a
  // fade, what is heard now is the filter that the next one begins with, so there is no click then either. `table` is
  // the memory that this view reads. Costs as much as transforming all taps. [no allocation]
  void set_taps(float* table, std::span<const double> taps, std::size_t fade_frames) noexcept NEUTONE_NONBLOCKING;

  // Forgets all audio, and ends a cross-fade. [no allocation]
  void reset() noexcept NEUTONE_NONBLOCKING;

  [[nodiscard]] std::size_t channels() const noexcept { return memory_.channels; }
  [[nodiscard]] const FirPlan& plan() const noexcept { return plan_; }
  [[nodiscard]] Planar<const float> memory() const noexcept { return memory_; }

 private:
  // At most kFirChunk frames, which end no later than the block, the cross-fade or the room in the history.
  void pass(const Planar<const float>& in, const Planar<float>& out) noexcept NEUTONE_NONBLOCKING;
  [[nodiscard]] std::size_t next_chunk(std::size_t frames) noexcept NEUTONE_NONBLOCKING;
  void compact() noexcept NEUTONE_NONBLOCKING;
  // The output of a bank of taps for frames that lie in the history already.
  void filter(std::size_t channel, std::size_t bank, std::size_t frames, float* out) const noexcept NEUTONE_NONBLOCKING;
  // What partitions add to the next block, from input before this one, for the tiles that are due with these frames.
  void sum_ahead(std::size_t bank, std::size_t first_frame, std::size_t frames) const noexcept NEUTONE_NONBLOCKING;
  // With the last frame of a block: its transform, and the partitions' output for the next.
  void finish_block() noexcept NEUTONE_NONBLOCKING;
  void sum_partitions(std::size_t channel, std::size_t bank, SpectrumSum sum) const noexcept NEUTONE_NONBLOCKING;
  void transform_sums_back(std::size_t channel, std::size_t bank) const noexcept NEUTONE_NONBLOCKING;
  void advance(std::size_t frames) noexcept NEUTONE_NONBLOCKING;

  void write_bank(float* table, std::size_t bank, std::span<const double> taps) const noexcept NEUTONE_NONBLOCKING;
  // Makes what a cross-fade has come to the taps of its end.
  void settle_fade(float* table) noexcept NEUTONE_NONBLOCKING;

  [[nodiscard]] std::size_t bank() const noexcept { return static_cast<std::size_t>(cursor_->bank); }
  [[nodiscard]] std::size_t other_bank() const noexcept { return 1 - bank(); }
  [[nodiscard]] const float* twiddles_end() const noexcept { return table_ + plan_.twiddles(); }

  FirPlan plan_;
  const float* table_;
  Planar<float> memory_;
  FirCursor* cursor_;
};

// Writes twiddles and taps of a new filter to plan.table_size() zeros. `memory` is for one channel of it, to compute
// in. [allocates]
void write_fir_table(const FirPlan& plan, std::span<const double> taps, float* table, const Planar<float>& memory);

// A filter that owns its memory, for planar audio.
class Fir {
 public:
  // Throws std::invalid_argument as check_fir_taps does. [allocates]
  Fir(std::span<const double> taps, std::size_t channels);
  Fir(const Fir&) = delete;
  Fir& operator=(const Fir&) = delete;
  ~Fir() = default;

  // See FirView::process. [no allocation]
  void process(const Planar<const float>& in, const Planar<float>& out) noexcept NEUTONE_NONBLOCKING {
    view_.process(in, out);
  }
  // See FirView::set_taps. Throws std::invalid_argument unless there are as many as before, all finite in float32.
  void set_taps(std::span<const double> taps, std::size_t fade_frames);
  // Forgets all audio, and ends a cross-fade. [no allocation]
  void reset() noexcept NEUTONE_NONBLOCKING { view_.reset(); }
  // Of the computation. What the taps delay is for who made them to know.
  [[nodiscard]] static constexpr std::size_t latency() noexcept { return 0; }
  [[nodiscard]] const FirPlan& plan() const noexcept { return plan_; }

 private:
  const FirPlan plan_;
  const AlignedBuffer<float> table_;
  const AlignedBuffer<float> memory_;
  FirCursor cursor_;
  FirView view_;
};

}  // namespace neutone::dsp
