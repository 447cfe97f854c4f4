#include "block_slots.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace neutone::engine {

namespace {

constexpr std::size_t kLine = dsp::kCacheLineBytes / sizeof(float);

// Rows begin on cache lines of their own: no two threads write to one line.
std::size_t row_stride(const ModelFormat& format) noexcept { return (format.block_frames + kLine - 1) / kLine * kLine; }

std::size_t rows(const ModelFormat& format) noexcept {
  return format.in_channels + format.default_params.size() + format.out_channels;
}

}  // namespace

BlockSlots::BlockSlots(const ModelFormat& format, std::size_t n_slots)
    : memory_(n_slots * rows(format) * row_stride(format)), slots_(n_slots) {
  float* row = memory_.data();
  const auto next_rows = [&](std::size_t count) {
    const dsp::Planar<float> planar{row, count, format.block_frames, static_cast<std::ptrdiff_t>(row_stride(format)),
                                    1};
    row += count * row_stride(format);
    return planar;
  };
  for (Slot& slot : slots_) {
    slot.block.audio = next_rows(format.in_channels);
    slot.block.params = next_rows(format.default_params.size());
    slot.block.out = next_rows(format.out_channels);
  }
}

Block* BlockSlots::begin(std::uint64_t number) noexcept NEUTONE_NONBLOCKING {
  Slot& to = slot(number);
  std::uint64_t found = to.word.load(std::memory_order_acquire);
  if (found % 4 == static_cast<std::uint64_t>(State::kRunning)) return nullptr;
  const std::uint64_t filling = word(number, State::kFilling);
  if (!to.word.compare_exchange_strong(found, filling, std::memory_order_acquire)) return nullptr;  // just begun to run
  return &to.block;
}

void BlockSlots::publish(std::uint64_t number, bool is_there) noexcept NEUTONE_NONBLOCKING {
  if (is_there) slot(number).word.store(word(number, State::kQueued), std::memory_order_release);
  published_.store(number + 1, std::memory_order_release);
}

const Block* BlockSlots::finished(std::uint64_t number) const noexcept NEUTONE_NONBLOCKING {
  const Slot& from = slot(number);
  return from.word.load(std::memory_order_acquire) == word(number, State::kFinished) ? &from.block : nullptr;
}

bool BlockSlots::is_on_its_way(std::uint64_t number) const noexcept NEUTONE_NONBLOCKING {
  const std::uint64_t found = slot(number).word.load(std::memory_order_acquire);
  return found == word(number, State::kQueued) || found == word(number, State::kRunning);
}

Block* BlockSlots::take() noexcept {
  next_ = std::max(next_, due_.load(std::memory_order_relaxed));
  while (has_block()) {
    Slot& from = slot(next_);
    std::uint64_t queued = word(next_++, State::kQueued);
    const std::uint64_t running =
        queued - static_cast<std::uint64_t>(State::kQueued) + static_cast<std::uint64_t>(State::kRunning);
    if (from.word.compare_exchange_strong(queued, running, std::memory_order_acquire)) return &from.block;
  }
  return nullptr;
}

void BlockSlots::finish() noexcept {
  slot(next_ - 1).word.store(word(next_ - 1, State::kFinished), std::memory_order_release);
}

}  // namespace neutone::engine
