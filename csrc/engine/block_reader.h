#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "../dsp/planar.h"
#include "../dsp/realtime.h"
#include "block_slots.h"
#include "counters.h"
#include "semaphore.h"

namespace neutone::engine {

// Whether a reader waits for blocks that the worker has, each of which is announced by a post to `finished`. Posts that
// nobody waited for let later waits pass at once.
struct Patience {
  Semaphore& finished;
  bool is_constant;
  const std::atomic<bool>& is_wanted;  // if not constant; changes at any time

  [[nodiscard]] bool waits() const noexcept NEUTONE_NONBLOCKING {
    return is_constant || is_wanted.load(std::memory_order_relaxed);
  }
};

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

  BlockReader(std::size_t block_frames, BlockSlots& slots, Counters& counters, const Patience& patience)
      : block_frames_(block_frames), slots_(slots), counters_(counters), patience_(patience) {}

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
  Patience patience_;
  std::size_t n_silent_ = 0;  // frames before the first block that are left
  std::uint64_t number_ = 0;  // of the block whose turn it is
  std::size_t place_ = 0;     // in that block
};

}  // namespace neutone::engine
