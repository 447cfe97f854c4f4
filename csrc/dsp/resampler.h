#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "aligned_buffer.h"
#include "flush_to_zero.h"
#include "planar.h"
#include "realtime.h"
#include "resampler_design.h"
#include "resampler_kernels.h"

namespace neutone::dsp {

// Where a resampler is in its stream. Plain integers: the struct also lies in memory that torch owns and saves.
struct ResamplerCursor {
  std::int64_t position = 0;  // the last frame of the next output frame's window, in steps of 1/up frames
  std::int64_t filled = 0;    // frames in the history
  std::int64_t row = 0;       // of the next output frame, if the table is exact

  // At the start of a stream. `first` is the last input frame that the first output frame takes, in steps of 1/up
  // frames; frame 0 follows `silent` frames that come first, and before those there was silence, too. A row depends on
  // the time since frame 0 alone, so streams that start elsewhere still compute each moment alike.
  [[nodiscard]] static ResamplerCursor at_start(const ResamplerPlan& plan, std::int64_t first,
                                                std::int64_t silent = 0) noexcept {
    const auto before = static_cast<std::int64_t>(plan.taps) - 1;
    ResamplerCursor cursor{(before + silent) * plan.up + first, before, 0};
    if (!plan.is_exact()) return cursor;
    while (!cursor.is_in_row(plan)) ++cursor.row;  // up and down have no common factor: one of the first `up` rows fits
    const std::int64_t period_steps = plan.period() * plan.down;
    // NOLINTNEXTLINE(clang-analyzer-core.DivideZero): rates are positive
    const std::int64_t steps = (first - cursor.row * plan.down) % period_steps;
    cursor.row += (steps < 0 ? steps + period_steps : steps) / (plan.up * plan.down) * plan.up;
    return cursor;
  }

  // Far beyond any stream, far below what overflows when rates are multiplied with it.
  static constexpr std::int64_t kMaxPosition = 2'000'000'000'000'000'000;

  // Whether a resampler over a history of so many frames can be there, and leads nowhere outside: cursors may come from
  // memory that others have written to.
  [[nodiscard]] bool is_sane(const ResamplerPlan& plan, std::int64_t history_frames) const noexcept {
    const std::int64_t room = history_frames - static_cast<std::int64_t>(plan.padding());
    if (filled < 0 || filled > room || position < 0 || position > kMaxPosition || row < 0) return false;
    const bool is_known_row = plan.is_exact() ? row < plan.period() && is_in_row(plan) : row == 0;
    return is_known_row && window_start(plan) >= 0;
  }
  // Whether the row's phase is that of the position.
  [[nodiscard]] bool is_in_row(const ResamplerPlan& plan) const noexcept {
    return row * plan.down % plan.up == position % plan.up;
  }
  // The first frame that the next output frame's window, and with it its group's, takes.
  [[nodiscard]] std::int64_t window_start(const ResamplerPlan& plan) const noexcept {
    if (plan.is_wire()) return position;
    const std::int64_t rows_before = plan.is_exact() ? row % static_cast<std::int64_t>(kGroupRows) : 0;
    return (position - rows_before * plan.down) / plan.up + 1 - 2 * static_cast<std::int64_t>(plan.half_taps);
  }
};

// Streaming polyphase resampler over memory that it does not own: a table of coefficients (see resampler_design.h), and
// a history of the latest input frames. Output frame `m` is at the time of input frame
// `(m * down + first + 1) / up - half_taps`, where `first` is how the stream was started; the arithmetic is in
// integers, so nothing ever drifts, and how the stream is cut changes no bit of the output. [one thread at a time]
template <typename Real>
class ResamplerView {
 public:
  struct Moved {
    std::size_t consumed;
    std::size_t produced;
  };

  // Frames of history that a resampler needs, and some more, so that it seldom has to move them to the front.
  [[nodiscard]] static std::size_t history_frames(const ResamplerPlan& plan) noexcept {
    constexpr std::size_t kMinBlock = 512;
    constexpr std::size_t kLine = kCacheLineBytes / sizeof(Real);
    return (plan.taps + plan.padding() + std::max(plan.taps, kMinBlock) + kLine) / kLine * kLine;
  }

  // `table` has plan.rows times plan.taps coefficients, `history` at least plan.taps + plan.padding() frames of any
  // number of channels, with a frame stride of 1. `cursor` must be one that `start` made, or that this class advanced,
  // over such a history.
  ResamplerView(const ResamplerPlan& plan, const Real* table, const Planar<Real>& history,
                ResamplerCursor& cursor) noexcept
      : plan_(plan), table_(table), history_(history), cursor_(&cursor) {}

  // Forgets all audio, and starts as ResamplerCursor::at_start says, with `first` + `silent` * up at least 0: `down -
  // 1` for the least delay, `half_taps * up - 1` for output in time with the input.
  void start(std::int64_t first, std::int64_t silent = 0) noexcept NEUTONE_NONBLOCKING;

  [[nodiscard]] std::size_t channels() const noexcept { return history_.channels; }
  [[nodiscard]] const ResamplerPlan& plan() const noexcept { return plan_; }
  [[nodiscard]] Planar<const Real> history() const noexcept { return history_; }
  // Output frames that need no more input. [wait-free]
  [[nodiscard]] std::size_t ready() const noexcept NEUTONE_NONBLOCKING { return ready_after(0); }
  // Output frames that need no more than the next `frames` frames of input. [wait-free]
  [[nodiscard]] std::size_t ready_after(std::size_t frames) const noexcept NEUTONE_NONBLOCKING;
  // Input frames that the next `frames` output frames still need. [wait-free]
  [[nodiscard]] std::size_t missing(std::size_t frames) const noexcept NEUTONE_NONBLOCKING;

  // Room for up to `frames` frames of input; fill it, then publish. [no allocation]
  [[nodiscard]] Planar<Real> reserve(std::size_t frames) noexcept NEUTONE_NONBLOCKING;
  // Takes in `frames` reserved frames. [wait-free]
  void publish(std::size_t frames) noexcept NEUTONE_NONBLOCKING {
    cursor_->filled += static_cast<std::int64_t>(frames);
  }

  // Filters the first out.channels channels into the next `out.frames` frames, at most ready(). [no allocation]
  void filter(const Planar<float>& out) const noexcept NEUTONE_NONBLOCKING;
  // Goes on behind `frames` output frames. [wait-free]
  void advance(std::size_t frames) noexcept NEUTONE_NONBLOCKING {
    cursor_->position += static_cast<std::int64_t>(frames) * plan_.down;
    if (plan_.is_exact()) cursor_->row = (cursor_->row + static_cast<std::int64_t>(frames)) % plan_.period();
  }

  // Takes in what fits and puts out what is ready and has room, until neither does; any counts. [no allocation]
  Moved process(Planar<const float> in, Planar<float> out) noexcept NEUTONE_NONBLOCKING;

 private:
  // Moves what is still needed to the front.
  void compact() noexcept;

  ResamplerPlan plan_;
  const Real* table_;
  Planar<Real> history_;
  ResamplerCursor* cursor_;
};

// A resampler that owns its memory, for planar audio.
template <typename Real>
class Resampler {
 public:
  // Throws std::invalid_argument as plan_resampler does. [allocates]
  Resampler(std::int64_t from_hz, std::int64_t to_hz, ResamplerQuality quality, std::size_t channels)
      : plan_(plan_resampler(from_hz, to_hz, quality)),
        table_(plan_.rows * plan_.taps),
        history_(channels * stride()),
        view_(plan_, table_.data(), {history_.data(), channels, stride(), static_cast<std::ptrdiff_t>(stride()), 1},
              cursor_) {
    std::ranges::transform(design_resampler(plan_, quality), table_.data(),
                           [](double coefficient) { return static_cast<Real>(coefficient); });
    reset();
  }
  Resampler(const Resampler&) = delete;
  Resampler& operator=(const Resampler&) = delete;
  ~Resampler() = default;

  // See ResamplerView::process. [no allocation]
  ResamplerView<Real>::Moved process(const Planar<const float>& in,
                                     const Planar<float>& out) noexcept NEUTONE_NONBLOCKING {
    return view_.process(in, out);
  }
  // Forgets all audio. [no allocation]
  void reset() noexcept NEUTONE_NONBLOCKING { view_.start(plan_.down - 1); }
  // By how many output frames the output is late: a whole number plus a fraction of `up / down`.
  [[nodiscard]] double latency() const noexcept {
    return static_cast<double>(plan_.half_taps) * static_cast<double>(plan_.up) / static_cast<double>(plan_.down) - 1.0;
  }
  [[nodiscard]] const ResamplerPlan& plan() const noexcept { return plan_; }
  // The resampler itself, for streams that start elsewhere or come in pieces.
  [[nodiscard]] ResamplerView<Real>& view() noexcept { return view_; }

 private:
  [[nodiscard]] std::size_t stride() const noexcept { return ResamplerView<Real>::history_frames(plan_); }

  const ResamplerPlan plan_;
  const AlignedBuffer<Real> table_;
  const AlignedBuffer<Real> history_;
  ResamplerCursor cursor_;
  ResamplerView<Real> view_;
};

// ---------------------------------------------------------------------------------------------------------------------

template <typename Real>
void ResamplerView<Real>::start(std::int64_t first, std::int64_t silent) noexcept {
  *cursor_ = ResamplerCursor::at_start(plan_, first, silent);
  for (std::size_t channel = 0; channel < history_.channels; ++channel) {
    std::fill_n(history_.row(channel), cursor_->filled, Real(0));
  }
}

template <typename Real>
std::size_t ResamplerView<Real>::ready_after(std::size_t frames) const noexcept {
  // Windows end at (position + m * down) / up, rounded down, and that has to be below the frames that are there.
  const std::int64_t steps = (cursor_->filled + static_cast<std::int64_t>(frames)) * plan_.up - cursor_->position;
  return steps <= 0 ? 0 : static_cast<std::size_t>((steps + plan_.down - 1) / plan_.down);
}

template <typename Real>
std::size_t ResamplerView<Real>::missing(std::size_t frames) const noexcept {
  if (frames == 0) return 0;
  const std::int64_t last = (cursor_->position + static_cast<std::int64_t>(frames - 1) * plan_.down) / plan_.up;
  return static_cast<std::size_t>(std::max<std::int64_t>(0, last + 1 - cursor_->filled));
}

template <typename Real>
void ResamplerView<Real>::compact() noexcept {
  const std::int64_t dropped = std::min(cursor_->window_start(plan_), cursor_->filled);
  if (dropped <= 0) return;
  const auto kept = static_cast<std::size_t>(cursor_->filled - dropped);
  for (std::size_t channel = 0; channel < history_.channels; ++channel) {
    std::memmove(history_.row(channel), history_.row(channel) + dropped, kept * sizeof(Real));
  }
  cursor_->filled -= dropped;
  cursor_->position -= dropped * plan_.up;
}

template <typename Real>
Planar<Real> ResamplerView<Real>::reserve(std::size_t frames) noexcept {
  const auto room = [this] { return history_.frames - plan_.padding() - static_cast<std::size_t>(cursor_->filled); };
  if (room() == 0) compact();
  return history_.slice_frames(static_cast<std::size_t>(cursor_->filled), std::min(frames, room()));
}

template <typename Real>
void ResamplerView<Real>::filter(const Planar<float>& out) const noexcept {
  if (out.frames == 0) return;
  if (plan_.is_wire()) {
    const auto first = static_cast<std::size_t>(cursor_->position);
    convert_frames<Real, float>(history_.slice_frames(first, out.frames), out);
    return;
  }
  resampler_kernel().run(FilterRun<Real>{table_, plan_, history_, cursor_->position, cursor_->row}, out);
}

template <typename Real>
auto ResamplerView<Real>::process(Planar<const float> in, Planar<float> out) noexcept -> Moved {
  const ScopedFlushToZero flush(!plan_.is_wire());
  Moved moved{0, 0};
  while (true) {
    const std::size_t count = std::min(ready(), out.frames - moved.produced);
    filter(out.slice_frames(moved.produced, count));
    advance(count);
    moved.produced += count;
    const Planar<Real> room = reserve(in.frames - moved.consumed);
    if (room.frames == 0) return moved;
    convert_frames<float, Real>(in.slice_frames(moved.consumed, room.frames), room);
    publish(room.frames);
    moved.consumed += room.frames;
  }
}

}  // namespace neutone::dsp
