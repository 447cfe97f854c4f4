#include "block_reader.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace neutone::engine {

void BlockReader::start(std::uint64_t number, std::size_t n_silent) noexcept NEUTONE_NONBLOCKING {
  number_ = number;
  n_silent_ = n_silent;
  place_ = 0;
  slots_.forget_before(number);
}

// Waits only where an engine was told to, which is not for audio threads that have a deadline.
NEUTONE_EXEMPT_BEGIN
const Block* BlockReader::awaited() const noexcept NEUTONE_NONBLOCKING {
  while (patience_.waits() && slots_.is_on_its_way(number_)) patience_.finished.wait();
  return slots_.finished(number_);
}
NEUTONE_EXEMPT_END

BlockReader::Piece BlockReader::next(std::size_t frames) noexcept NEUTONE_NONBLOCKING {
  Piece piece;
  if (n_silent_ > 0) {
    piece.frames.frames = std::min(frames, n_silent_);
    return piece;
  }
  const std::size_t count = std::min(frames, block_frames_ - place_);
  if (const Block* const block = awaited()) {
    piece.frames = block->out.slice_frames(place_, count);
    return piece;
  }
  if (place_ == 0) Counters::add(counters_.late_blocks);
  piece.frames.frames = count;
  piece.is_missing = true;
  return piece;
}

void BlockReader::advance(std::size_t frames) noexcept NEUTONE_NONBLOCKING {
  if (n_silent_ > 0) {
    n_silent_ -= frames;
    return;
  }
  place_ += frames;
  if (place_ < block_frames_) return;
  place_ = 0;
  slots_.forget_before(++number_);
}

}  // namespace neutone::engine
