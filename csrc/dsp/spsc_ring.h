#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>

#include "aligned_buffer.h"
#include "planar.h"
#include "realtime.h"

namespace neutone::dsp {

// The two counters of a ring, in frames since the last reset, each on the cache line of the thread that advances it.
// They only grow and are masked on use, so full and empty differ without a spare slot. Beside its own counter each side
// keeps the last value it saw of the other's, and looks again only when that is not enough: in steady state the lines
// stay where they are. Plain integers, because the struct also lies in memory that torch owns and saves; whoever shares
// a counter with another thread goes through std::atomic_ref.
struct RingCursors {
  std::uint64_t written = 0;    // advanced by the producer
  std::uint64_t read_seen = 0;  // the producer's own
  std::array<std::uint64_t, 6> producer_padding{};
  std::uint64_t read = 0;          // advanced by the consumer
  std::uint64_t written_seen = 0;  // the consumer's own
  std::array<std::uint64_t, 6> consumer_padding{};
};
static_assert(sizeof(RingCursors) == 2 * kCacheLineBytes);
static_assert(std::atomic_ref<std::uint64_t>::is_always_lock_free);

// std::has_single_bit is a call of a function where the processor is not known to count bits.
[[nodiscard]] constexpr bool is_power_of_two(std::size_t count) noexcept {
  return count != 0 && (count & (count - 1)) == 0;
}

// FIFO of planar frames between exactly one producer thread and one consumer thread, over memory that it does not own.
// Each method names the thread that may call it and what that thread is promised.
template <typename Sample>
class RingView {
  static_assert(std::is_trivially_copyable_v<Sample>);

 public:
  // Frames of the ring, in stream order: those before the end of the storage and those that wrapped to its start.
  struct Region {
    Planar<Sample> head;
    Planar<Sample> tail;

    [[nodiscard]] std::size_t frames() const noexcept { return head.frames + tail.frames; }
    [[nodiscard]] Region slice_channels(std::size_t first, std::size_t count) const noexcept {
      return {head.slice_channels(first, count), tail.slice_channels(first, count)};
    }
    [[nodiscard]] Region slice_frames(std::size_t first, std::size_t count) const noexcept {
      const std::size_t head_first = std::min(first, head.frames);
      const std::size_t head_count = std::min(count, head.frames - head_first);
      return {head.slice_frames(head_first, head_count), tail.slice_frames(first - head_first, count - head_count)};
    }
    // Calls `visit(its frames of block, part)` for each part. `block` has as many frames as the region.
    template <typename Block, typename Visit>
    void each_part(const Planar<Block>& block, const Visit& visit) const {
      visit(block.slice_frames(0, head.frames), head);
      if (tail.frames > 0) visit(block.slice_frames(head.frames, tail.frames), tail);
    }
  };

  // `storage.frames` is the capacity, a power of two. Throws std::invalid_argument if it is not, or without channels.
  RingView(Planar<Sample> storage, RingCursors& cursors) : storage_(storage), cursors_(&cursors) {
    if (storage.channels == 0) throw std::invalid_argument("a ring needs at least one channel");
    if (!is_power_of_two(storage.frames)) throw std::invalid_argument("the capacity must be a power of two");
  }

  [[nodiscard]] std::size_t channels() const noexcept { return storage_.channels; }
  [[nodiscard]] std::size_t capacity() const noexcept { return storage_.frames; }
  [[nodiscard]] Planar<const Sample> storage() const noexcept { return storage_; }
  // Frames waiting to be read, at most the capacity. On the consumer there are at least so many; on the producer, at
  // most; on other threads it may be out of date at once. [any thread, wait-free]
  [[nodiscard]] std::size_t size() const noexcept NEUTONE_NONBLOCKING;

  // Copies what fits and returns how many frames; never overwrites. [producer, wait-free]
  [[nodiscard]] std::size_t write(const Planar<const Sample>& in) noexcept NEUTONE_NONBLOCKING;
  // Room for up to `frames` frames, less if the ring is fuller; fill it, then publish. [producer, wait-free]
  [[nodiscard]] Region reserve(std::size_t frames) noexcept NEUTONE_NONBLOCKING;
  // The frame that was written last; before the first one, what the storage holds in its place. [producer, wait-free]
  [[nodiscard]] Planar<const Sample> last_written() const noexcept NEUTONE_NONBLOCKING {
    return region(Counter(cursors_->written).load(std::memory_order_relaxed) - 1, 1).head;
  }
  // Hands `frames` reserved frames to the consumer. [producer, wait-free]
  void publish(std::size_t frames) noexcept NEUTONE_NONBLOCKING;

  // Copies what is there, at most `out.frames`, and returns how many frames. [consumer, wait-free]
  [[nodiscard]] std::size_t read(const Planar<Sample>& out) noexcept NEUTONE_NONBLOCKING;
  // The same, and the frames stay. [consumer, wait-free]
  [[nodiscard]] std::size_t peek(const Planar<Sample>& out) noexcept NEUTONE_NONBLOCKING;
  // Copies the latest min(out.frames, size()) frames, oldest first; all frames stay. [consumer, wait-free]
  [[nodiscard]] std::size_t newest(const Planar<Sample>& out) noexcept NEUTONE_NONBLOCKING;
  // Drops the oldest frames, at most `frames`, and returns how many. [consumer, wait-free]
  [[nodiscard]] std::size_t skip(std::size_t frames) noexcept NEUTONE_NONBLOCKING;
  // Up to `frames` of the oldest frames in place; use them, then consume. [consumer, wait-free]
  [[nodiscard]] Region readable(std::size_t frames) noexcept NEUTONE_NONBLOCKING;
  // Gives `frames` readable frames back to the producer. [consumer, wait-free]
  void consume(std::size_t frames) noexcept NEUTONE_NONBLOCKING;

  // Drops everything. [neither thread running]
  void reset() noexcept NEUTONE_NONBLOCKING { *cursors_ = RingCursors{}; }

 private:
  using Counter = std::atomic_ref<std::uint64_t>;

  [[nodiscard]] Region region(std::uint64_t position, std::size_t frames) const noexcept;
  // Frames ready for the consumer; looks at the producer's counter only if fewer than `wanted` are known of.
  [[nodiscard]] std::size_t known_size(std::size_t wanted) noexcept;
  static void copy_in(const Planar<const Sample>& in, const Planar<Sample>& to) noexcept;
  static void copy_out(const Region& from, const Planar<Sample>& out) noexcept;
  // Counters may lie in memory that others can write to; whatever they hold, no access leaves the storage.
  [[nodiscard]] std::size_t within_capacity(std::uint64_t frames) const noexcept {
    return static_cast<std::size_t>(std::min<std::uint64_t>(frames, storage_.frames));
  }

  Planar<Sample> storage_;
  RingCursors* cursors_;
};

// A ring that owns its memory.
template <typename Sample>
class SpscRing {
 public:
  // Rounds the capacity up to a power of two. Throws std::invalid_argument on 0 channels or frames. [allocates]
  SpscRing(std::size_t channels, std::size_t min_capacity_frames)
      : capacity_(checked_capacity(channels, min_capacity_frames)),
        samples_(channels * (capacity_ + kRowGap)),
        view_({samples_.data(), channels, capacity_, static_cast<std::ptrdiff_t>(capacity_ + kRowGap), 1}, cursors_) {}
  SpscRing(const SpscRing&) = delete;
  SpscRing& operator=(const SpscRing&) = delete;
  ~SpscRing() = default;

  // The ring itself: every method of RingView, with its promises.
  RingView<Sample>* operator->() noexcept { return &view_; }
  RingView<Sample>& view() noexcept { return view_; }

 private:
  // Rows a power of two apart would compete for the same cache sets.
  static constexpr std::size_t kRowGap = kCacheLineBytes / sizeof(Sample);

  static std::size_t checked_capacity(std::size_t channels, std::size_t frames) {
    if (channels == 0) throw std::invalid_argument("a ring needs at least one channel");
    if (frames == 0) throw std::invalid_argument("a ring needs room for at least one frame");
    constexpr std::size_t kMaxSamples = std::numeric_limits<std::ptrdiff_t>::max() / sizeof(Sample) / 4;
    if (channels > kMaxSamples / (2 * kRowGap) || frames > kMaxSamples / channels - kRowGap)
      throw std::invalid_argument("a ring so large has no address");
    return std::bit_ceil(frames);
  }

  alignas(kCacheLineBytes) RingCursors cursors_;
  const std::size_t capacity_;
  const AlignedBuffer<Sample> samples_;
  RingView<Sample> view_;
};

// ---------------------------------------------------------------------------------------------------------------------

template <typename Sample>
auto RingView<Sample>::region(std::uint64_t position, std::size_t frames) const noexcept -> Region {
  const std::size_t first = static_cast<std::size_t>(position) & (storage_.frames - 1);
  const std::size_t before_wrap = std::min(frames, storage_.frames - first);
  return {storage_.slice_frames(first, before_wrap), storage_.slice_frames(0, frames - before_wrap)};
}

template <typename Sample>
std::size_t RingView<Sample>::size() const noexcept {
  // In this order: the consumer never passes the producer, so the difference cannot be negative.
  const std::uint64_t read = Counter(cursors_->read).load(std::memory_order_acquire);
  return within_capacity(Counter(cursors_->written).load(std::memory_order_acquire) - read);
}

template <typename Sample>
auto RingView<Sample>::reserve(std::size_t frames) noexcept -> Region {
  const std::uint64_t written = Counter(cursors_->written).load(std::memory_order_relaxed);
  if (capacity() - static_cast<std::size_t>(written - cursors_->read_seen) < frames) {
    cursors_->read_seen = Counter(cursors_->read).load(std::memory_order_acquire);
  }
  const std::size_t room = capacity() - within_capacity(written - cursors_->read_seen);
  return region(written, std::min(frames, room));
}

template <typename Sample>
void RingView<Sample>::publish(std::size_t frames) noexcept {
  const Counter written(cursors_->written);
  written.store(written.load(std::memory_order_relaxed) + frames, std::memory_order_release);
}

// Last channel first, while copy_out starts with the first: where the consumer's processor fetches on past the end of a
// row, it then meets the row of the next block that is finished or not begun, not the one being written.
template <typename Sample>
void RingView<Sample>::copy_in(const Planar<const Sample>& in, const Planar<Sample>& to) noexcept {
  for (std::size_t channel = to.channels; channel-- > 0;) {
    copy_row<Sample>(in.row(channel), in.frame_stride, to.row(channel), to.frame_stride, to.frames);
  }
}

template <typename Sample>
std::size_t RingView<Sample>::write(const Planar<const Sample>& in) noexcept {
  const Region room = reserve(in.frames);
  room.each_part(in, [](const Planar<const Sample>& part, const Planar<Sample>& to) { copy_in(part, to); });
  publish(room.frames());
  return room.frames();
}

template <typename Sample>
std::size_t RingView<Sample>::known_size(std::size_t wanted) noexcept {
  const std::uint64_t read = Counter(cursors_->read).load(std::memory_order_relaxed);
  if (cursors_->written_seen - read < wanted) {
    cursors_->written_seen = Counter(cursors_->written).load(std::memory_order_acquire);
  }
  return within_capacity(cursors_->written_seen - read);
}

template <typename Sample>
auto RingView<Sample>::readable(std::size_t frames) noexcept -> Region {
  const std::size_t ready = std::min(frames, known_size(frames));
  return region(Counter(cursors_->read).load(std::memory_order_relaxed), ready);
}

template <typename Sample>
void RingView<Sample>::consume(std::size_t frames) noexcept {
  const Counter read(cursors_->read);
  read.store(read.load(std::memory_order_relaxed) + frames, std::memory_order_release);
}

template <typename Sample>
void RingView<Sample>::copy_out(const Region& from, const Planar<Sample>& out) noexcept {
  from.each_part(out, [](const Planar<Sample>& to, const Planar<Sample>& part) { copy_frames<Sample>(part, to); });
}

template <typename Sample>
std::size_t RingView<Sample>::peek(const Planar<Sample>& out) noexcept {
  const Region ready = readable(out.frames);
  copy_out(ready, out);
  return ready.frames();
}

template <typename Sample>
std::size_t RingView<Sample>::read(const Planar<Sample>& out) noexcept {
  const std::size_t frames = peek(out);
  consume(frames);
  return frames;
}

template <typename Sample>
std::size_t RingView<Sample>::newest(const Planar<Sample>& out) noexcept {
  const std::size_t ready = known_size(capacity());
  const std::size_t frames = std::min(out.frames, ready);
  const std::uint64_t read = Counter(cursors_->read).load(std::memory_order_relaxed);
  copy_out(region(read + (ready - frames), frames), out);
  return frames;
}

template <typename Sample>
std::size_t RingView<Sample>::skip(std::size_t frames) noexcept {
  const std::size_t dropped = std::min(frames, known_size(frames));
  consume(dropped);
  return dropped;
}

}  // namespace neutone::dsp
