#pragma once

#include <cstddef>
#include <cstdint>

#include "dsp/planar.h"
#include "dsp/realtime.h"
#include "engine/block_slots.h"
#include "engine/counters.h"
#include "engine/semaphore.h"

namespace neutone::engine {

// The frames that a worker hands back, each in its turn: silence at the start, then block after block by its number. A
// block that is not there in its turn passes all the same, as frames that are missing; if it comes in the middle of its
// turn, the rest of it is played. [audio, wait-free unless it may wait]
class BlockReader {
 public:
  // Frames in their turn. Silent ones have no data.
  struct Piece {
    dsp::Planar<const float> frames;
    bool is_missing = false;
  };

  // Waits for blocks that the worker has, each announced by a post to `finished`, if that is not null.
  BlockReader(std::size_t block_frames, BlockSlots& slots, Counters& counters, Semaphore* finished)
      : block_frames_(block_frames), slots_(slots), counters_(counters), finished_(finished) {}

  // Starts with so many silent frames, then the `number`th block.
  void start(std::uint64_t number, std::size_t n_silent) noexcept NEUTONE_NONBLOCKING;
  // Up to `frames` of the next frames, at least one.
  [[nodiscard]] Piece next(std::size_t frames) noexcept NEUTONE_NONBLOCKING;
  // Goes on behind so many of them, at least one.
  void advance(std::size_t frames) noexcept NEUTONE_NONBLOCKING;

 private:
  [[nodiscard]] const Block* awaited() const noexcept NEUTONE_NONBLOCKING;

  std::size_t block_frames_;
  BlockSlots& slots_;
  Counters& counters_;
  Semaphore* finished_;
  std::size_t n_silent_ = 0;  // frames before the first block that are left
  std::uint64_t number_ = 0;  // of the block whose turn it is
  std::size_t place_ = 0;     // in that block
};

}  // namespace neutone::engine
