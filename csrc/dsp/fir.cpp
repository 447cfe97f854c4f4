#include "fir.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

#include "flush_to_zero.h"

namespace neutone::dsp {
namespace {

// What comes out of one bank of taps.
using Chunk = std::array<float, kFirChunk + kMaxDirectLanes>;

// The part of the new output in frame `frame` of a cross-fade.
float fade_part(const FirCursor& cursor, std::size_t frame) noexcept {
  const std::int64_t over = cursor.faded + static_cast<std::int64_t>(frame);
  return static_cast<float>(static_cast<double>(over) / static_cast<double>(cursor.fade));
}

// Mixes the output of the earlier taps into that of the new ones.
void fade_in(const FirCursor& cursor, const float* earlier, std::size_t frames, float* output) noexcept {
  for (std::size_t i = 0; i < frames; ++i) {
    output[i] = earlier[i] + fade_part(cursor, i + 1) * (output[i] - earlier[i]);
  }
}

// first += part * (second - first), number by number.
void mix(float* first, const float* second, std::size_t count, float part) noexcept {
  for (std::size_t i = 0; i < count; ++i) first[i] += part * (second[i] - first[i]);
}

Planar<float> whole(const AlignedBuffer<float>& memory, const FirPlan& plan, std::size_t channels) noexcept {
  return {memory.data(), channels, plan.channel_size(), static_cast<std::ptrdiff_t>(plan.channel_size()), 1};
}

}  // namespace

void FirView::process(const Planar<const float>& in, const Planar<float>& out) noexcept {
  const ScopedFlushToZero flush;
  for (std::size_t done = 0; done < out.frames;) {
    const std::size_t count = next_chunk(out.frames - done);
    pass(in.slice_frames(done, count), out.slice_frames(done, count));
    done += count;
  }
}

std::size_t FirView::next_chunk(std::size_t frames) noexcept {
  if (static_cast<std::size_t>(cursor_->filled) == plan_.history_frames()) compact();
  std::size_t count = std::min({frames, kFirChunk, plan_.history_frames() - static_cast<std::size_t>(cursor_->filled)});
  if (!plan_.is_direct()) count = std::min(count, plan_.block - static_cast<std::size_t>(cursor_->frame));
  if (cursor_->is_fading()) count = std::min(count, static_cast<std::size_t>(cursor_->fade - cursor_->faded));
  return count;
}

void FirView::compact() noexcept {
  const std::size_t kept = plan_.kept_frames();
  for (std::size_t channel = 0; channel < memory_.channels; ++channel) {
    float* const history = memory_.row(channel);
    std::copy_n(history + cursor_->filled - kept, kept, history);
  }
  cursor_->filled = static_cast<std::int64_t>(kept);
}

void FirView::pass(const Planar<const float>& in, const Planar<float>& out) noexcept {
  const std::size_t frames = out.frames;
  Chunk output;   // NOLINT(*-member-init): written before it is read
  Chunk earlier;  // NOLINT(*-member-init): the same
  for (std::size_t channel = 0; channel < out.channels; ++channel) {
    copy_row(in.row(channel), in.frame_stride, memory_.row(channel) + cursor_->filled, 1, frames);
    filter(channel, bank(), frames, output.data());
    if (cursor_->is_fading()) {
      filter(channel, other_bank(), frames, earlier.data());
      fade_in(*cursor_, earlier.data(), frames, output.data());
    }
    copy_row<float>(output.data(), 1, out.row(channel), out.frame_stride, frames);
  }
  if (!plan_.is_direct()) {
    sum_ahead(bank(), static_cast<std::size_t>(cursor_->frame), frames);
    if (cursor_->is_fading()) sum_ahead(other_bank(), static_cast<std::size_t>(cursor_->frame), frames);
  }
  advance(frames);
}

void FirView::filter(std::size_t channel, std::size_t bank, std::size_t frames, float* out) const noexcept {
  fir_kernel().sum_directly(
      {table_ + plan_.head_offset(bank), plan_.head(), memory_.row(channel) + cursor_->filled, frames, out});
  if (plan_.is_direct()) return;
  const float* const partitions = memory_.row(channel) + plan_.work_offset(bank) + plan_.block + cursor_->frame;
  for (std::size_t i = 0; i < frames; ++i) out[i] += partitions[i];
}

void FirView::sum_partitions(std::size_t channel, std::size_t bank, SpectrumSum sum) const noexcept {
  sum.filter = table_ + plan_.filter_offset(bank);
  sum.spectra = memory_.row(channel) + plan_.spectra_offset();
  sum.sums = memory_.row(channel) + plan_.sums_offset(bank);
  sum.slots = plan_.partitions();
  fir_kernel().sum_spectra(sum);
}

// One tile is due with every kFftLanes frames: that spreads them evenly, and says without a count which are done. The
// first partition waits for the transform of this block. All channels go through a few tiles of the filter while these
// are in the cache.
void FirView::sum_ahead(std::size_t bank, std::size_t first_frame, std::size_t frames) const noexcept {
  constexpr std::size_t kCached = 16'384 / sizeof(float);
  const std::size_t row = std::max(kFftTile * plan_.partitions(), std::size_t{1});
  const std::size_t tiles_at_once = std::max(kCached / row, std::size_t{1});
  const std::size_t end = (first_frame + frames) / kFftLanes;
  for (std::size_t tile = first_frame / kFftLanes; tile < end; tile += tiles_at_once) {
    for (std::size_t channel = 0; channel < memory_.channels; ++channel) {
      sum_partitions(channel, bank,
                     {.slot = static_cast<std::size_t>(cursor_->newest),
                      .first = 1,
                      .count = plan_.partitions() - 1,
                      .first_tile = tile,
                      .end_tile = std::min(tile + tiles_at_once, end)});
    }
  }
}

void FirView::transform_sums_back(std::size_t channel, std::size_t bank) const noexcept {
  float* const row = memory_.row(channel);
  fir_kernel().transform_back(row + plan_.sums_offset(bank), plan_.block, twiddles_end(),
                              row + plan_.work_offset(bank));
}

void FirView::finish_block() noexcept {
  const std::size_t slots = plan_.partitions();
  const std::size_t slot = (static_cast<std::size_t>(cursor_->newest) + slots - 1) % slots;
  const SpectrumSum first{.slot = slot, .count = 1, .end_tile = plan_.tiles(), .adds = true};
  for (std::size_t channel = 0; channel < memory_.channels; ++channel) {
    float* const row = memory_.row(channel);
    const float* const input = row + cursor_->filled - 2 * plan_.block;
    fir_kernel().transform(input, input + plan_.block, plan_.block, table_, row + plan_.work_offset(bank()),
                           row + plan_.spectra_offset() + slot * kFftTile, slots * kFftTile);
    sum_partitions(channel, bank(), first);
    transform_sums_back(channel, bank());
    if (!cursor_->is_fading()) continue;
    sum_partitions(channel, other_bank(), first);
    transform_sums_back(channel, other_bank());
  }
  cursor_->newest = static_cast<std::int64_t>(slot);
  cursor_->frame = 0;
}

void FirView::advance(std::size_t frames) noexcept {
  cursor_->filled += static_cast<std::int64_t>(frames);
  if (cursor_->is_fading()) cursor_->faded += static_cast<std::int64_t>(frames);
  if (plan_.is_direct()) return;
  cursor_->frame += static_cast<std::int64_t>(frames);
  if (std::cmp_equal(cursor_->frame, plan_.block)) finish_block();
}

void FirView::set_taps(float* table, std::span<const double> taps, std::size_t fade_frames) noexcept {
  const ScopedFlushToZero flush;
  if (cursor_->is_fading()) settle_fade(table);
  cursor_->bank = static_cast<std::int64_t>(other_bank());
  cursor_->faded = 0;
  cursor_->fade = static_cast<std::int64_t>(fade_frames);
  write_bank(table, bank(), taps);
  if (plan_.is_direct()) return;
  // As if they had been in force for ever.
  const auto newest = static_cast<std::size_t>(cursor_->newest);
  for (std::size_t channel = 0; channel < memory_.channels; ++channel) {
    sum_partitions(channel, bank(), {.slot = newest, .count = plan_.partitions(), .end_tile = plan_.tiles()});
    transform_sums_back(channel, bank());
  }
  sum_ahead(bank(), 0, static_cast<std::size_t>(cursor_->frame));
}

// Everything behind the taps is linear in them.
void FirView::settle_fade(float* table) noexcept {
  const float part = fade_part(*cursor_, 0);
  const std::size_t from = other_bank();
  mix(table + plan_.head_offset(from), table + plan_.head_offset(bank()), plan_.bank_size(), part);
  for (std::size_t channel = 0; channel < memory_.channels; ++channel) {
    float* const row = memory_.row(channel);
    mix(row + plan_.sums_offset(from), row + plan_.sums_offset(bank()), 2 * plan_.block, part);
    mix(row + plan_.work_offset(from), row + plan_.work_offset(bank()), 2 * plan_.block, part);
  }
  cursor_->bank = static_cast<std::int64_t>(from);
}

// The bank's own sums and work of the first channel are free to compute in.
void FirView::write_bank(float* table, std::size_t bank, std::span<const double> taps) const noexcept {
  const auto to_float = [](double tap) { return static_cast<float>(tap); };
  std::ranges::transform(taps.first(plan_.head()), table + plan_.head_offset(bank), to_float);
  if (plan_.is_direct()) return;
  const double scale = 1.0 / static_cast<double>(plan_.block);  // for both ways; a power of two
  float* const points = memory_.row(0) + plan_.sums_offset(bank);
  for (std::size_t partition = 0; partition < plan_.partitions(); ++partition) {
    std::fill_n(points, 2 * plan_.block, 0.0F);
    const auto behind = taps.subspan((partition + 1) * plan_.block);
    std::ranges::transform(behind.first(std::min(plan_.block, behind.size())), points,
                           [scale](double tap) { return static_cast<float>(scale * tap); });
    fir_kernel().transform(points, points + plan_.block, plan_.block, table_, memory_.row(0) + plan_.work_offset(bank),
                           table + plan_.filter_offset(bank) + partition * kFftTile, plan_.partitions() * kFftTile);
  }
}

void FirView::reset() noexcept {
  for (std::size_t channel = 0; channel < memory_.channels; ++channel) {
    std::fill_n(memory_.row(channel), plan_.channel_size(), 0.0F);
  }
  const std::int64_t bank = cursor_->bank;
  *cursor_ = FirCursor::at_start(plan_);
  cursor_->bank = bank;
}

void write_fir_table(const FirPlan& plan, std::span<const double> taps, float* table, const Planar<float>& memory) {
  if (!plan.is_direct()) write_fft_twiddles(plan.block, {table, plan.twiddles()});
  FirCursor cursor{.bank = 1};
  FirView view(plan, table, memory, cursor);
  view.reset();
  view.set_taps(table, taps, 0);
  view.reset();
}

Fir::Fir(std::span<const double> taps, std::size_t channels)
    : plan_((check_fir_taps(taps), plan_fir(taps.size()))),
      table_(plan_.table_size()),
      memory_(channels * plan_.channel_size()),
      view_(plan_, table_.data(), whole(memory_, plan_, channels), cursor_) {
  write_fir_table(plan_, taps, table_.data(), whole(memory_, plan_, 1));
  reset();
}

void Fir::set_taps(std::span<const double> taps, std::size_t fade_frames) {
  if (taps.size() != plan_.taps) {
    throw std::invalid_argument("taps must be as many as before, " + std::to_string(plan_.taps) + ", got " +
                                std::to_string(taps.size()));
  }
  check_fir_taps(taps);
  view_.set_taps(table_.data(), taps, fade_frames);
}

}  // namespace neutone::dsp
