#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "fft.h"

namespace neutone::dsp {

inline constexpr std::size_t kMaxFirTaps = std::size_t{1} << 20U;
// Up to so many frames go through a filter at a time.
inline constexpr std::size_t kFirChunk = 256;

// How a FIR filter is computed, and where its numbers lie. Taps before `head` are summed directly; those behind are
// partitions of `block` taps, whose output for a block of the stream needs input of the blocks before it only.
//
// One channel's memory, in numbers:
//   history    the latest input, and room for a vector behind it
//   spectra    a tile of each partition's input for each tile of bins
//   sums       for each of two banks: 2 * block, what partitions add up to so far
//   work       for each of two banks: 2 * block, whose second half is the partitions' output for this block
// The table, of the whole filter: twiddles, then for each of two banks the head's taps and the partitions' spectra.
struct FirPlan {
  std::size_t taps = 1;
  std::size_t block = 0;  // a power of two; 0: all taps are summed directly

  [[nodiscard]] bool is_direct() const noexcept { return block == 0; }
  [[nodiscard]] std::size_t head() const noexcept { return is_direct() ? taps : block; }
  [[nodiscard]] std::size_t partitions() const noexcept { return is_direct() ? 0 : (taps - 1) / block; }
  [[nodiscard]] std::size_t tiles() const noexcept { return block / kFftLanes; }
  // Of input that has to stay: for the head's sums, and to transform a block together with the one before.
  [[nodiscard]] std::size_t kept_frames() const noexcept { return is_direct() ? taps - 1 : 2 * block; }
  [[nodiscard]] std::size_t history_frames() const noexcept {
    return aligned(kept_frames() + std::max(kept_frames(), 2 * kFirChunk));
  }

  [[nodiscard]] std::size_t spectra_size() const noexcept { return 2 * block * partitions(); }
  [[nodiscard]] std::size_t spectra_offset() const noexcept { return history_frames() + kAlignment; }
  [[nodiscard]] std::size_t sums_offset(std::size_t bank) const noexcept {
    return spectra_offset() + spectra_size() + bank * 2 * block;
  }
  [[nodiscard]] std::size_t work_offset(std::size_t bank) const noexcept { return sums_offset(2 + bank); }
  [[nodiscard]] std::size_t channel_size() const noexcept { return sums_offset(4); }

  [[nodiscard]] std::size_t twiddles() const noexcept { return is_direct() ? 0 : count_fft_twiddles(block); }
  [[nodiscard]] std::size_t bank_size() const noexcept { return aligned(head()) + spectra_size(); }
  [[nodiscard]] std::size_t head_offset(std::size_t bank) const noexcept {
    return aligned(twiddles()) + bank * bank_size();
  }
  [[nodiscard]] std::size_t filter_offset(std::size_t bank) const noexcept {
    return head_offset(bank) + aligned(head());
  }
  [[nodiscard]] std::size_t table_size() const noexcept { return head_offset(2); }

 private:
  static constexpr std::size_t kAlignment = 16;  // a cache line
  static constexpr std::size_t aligned(std::size_t count) noexcept {
    return (count + kAlignment - 1) / kAlignment * kAlignment;
  }
};

// The fastest way for so many taps. Throws std::invalid_argument outside 1..kMaxFirTaps.
[[nodiscard]] FirPlan plan_fir(std::size_t n_taps);

// Throws std::invalid_argument unless there are 1..kMaxFirTaps, all finite in float32.
void check_fir_taps(std::span<const double> taps);

// Where a filter is in its stream. Plain integers: the struct also lies in memory that torch owns and saves.
struct FirCursor {
  std::int64_t filled = 0;  // frames in the history
  std::int64_t frame = 0;   // of the block, that comes next
  std::int64_t newest = 0;  // slot of the spectrum of the last two whole blocks
  std::int64_t bank = 0;    // of the taps that are in force, or will be after the cross-fade
  std::int64_t faded = 0;   // frames of the cross-fade that are over
  std::int64_t fade = 0;    // frames of it

  [[nodiscard]] static FirCursor at_start(const FirPlan& plan) noexcept {
    return {.filled = static_cast<std::int64_t>(plan.kept_frames())};
  }
  [[nodiscard]] bool is_fading() const noexcept { return faded < fade; }
};

}  // namespace neutone::dsp
