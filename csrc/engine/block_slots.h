#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "../dsp/aligned_buffer.h"
#include "../dsp/planar.h"
#include "../dsp/realtime.h"
#include "model.h"

namespace neutone::engine {

// A block of the model's: what goes in, and what comes out.
struct Block {
  dsp::Planar<float> audio;
  dsp::Planar<float> params;
  dsp::Planar<float> out;
  std::uint64_t stream = 0;  // which stream it belongs to: a reset starts another one
};

// Where blocks lie on their way from the audio thread to the worker and back. They are numbered as long as the slots
// live, through all streams, and each has its slot by its number, so the two threads agree about which is which
// whatever gets lost. A slot belongs to one of the threads at any time, as one atomic says: number and state together.
class BlockSlots {
 public:
  // [allocates]
  BlockSlots(const ModelFormat& format, std::size_t n_slots);

  // The block to fill as the `number`th. Numbers go up by one. Takes the slot of a block that nobody has begun to run
  // by now; null if the worker is still busy in there. [audio, wait-free]
  [[nodiscard]] Block* begin(std::uint64_t number) noexcept NEUTONE_NONBLOCKING;
  // Hands a block to the worker; `is_there` is false for one that had no slot. [audio, wait-free]
  void publish(std::uint64_t number, bool is_there) noexcept NEUTONE_NONBLOCKING;
  // Says that the blocks before the `number`th are of no use any more. [audio, wait-free]
  void forget_before(std::uint64_t number) noexcept NEUTONE_NONBLOCKING {
    due_.store(number, std::memory_order_relaxed);
  }
  // The `number`th block if the worker has finished it, else null. [audio, wait-free]
  [[nodiscard]] const Block* finished(std::uint64_t number) const noexcept NEUTONE_NONBLOCKING;
  // Whether the worker has it and will finish it. [audio, wait-free]
  [[nodiscard]] bool is_on_its_way(std::uint64_t number) const noexcept NEUTONE_NONBLOCKING;

  // Whether `take` has something to look at. [worker]
  [[nodiscard]] bool has_block() const noexcept { return next_ < published_.load(std::memory_order_acquire); }
  // The next block that is of use, null if there is none. [worker]
  [[nodiscard]] Block* take() noexcept;
  // Hands the block that was taken back. [worker]
  void finish() noexcept;

 private:
  enum class State : std::uint8_t { kFilling, kQueued, kRunning, kFinished };
  struct Slot {
    std::atomic<std::uint64_t> word{0};
    Block block;
  };

  [[nodiscard]] static constexpr std::uint64_t word(std::uint64_t number, State state) noexcept {
    return number * 4 + static_cast<std::uint64_t>(state);
  }
  [[nodiscard]] Slot& slot(std::uint64_t number) noexcept { return slots_[number % slots_.size()]; }
  [[nodiscard]] const Slot& slot(std::uint64_t number) const noexcept { return slots_[number % slots_.size()]; }

  alignas(dsp::kCacheLineBytes) std::atomic<std::uint64_t> published_{0};  // blocks; the audio thread's
  std::atomic<std::uint64_t> due_{0};                                      // likewise
  dsp::AlignedBuffer<float> memory_;
  std::vector<Slot> slots_;
  alignas(dsp::kCacheLineBytes) std::uint64_t next_ = 0;  // the worker's
};

}  // namespace neutone::engine
