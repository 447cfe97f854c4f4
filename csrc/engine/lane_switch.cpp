#include "lane_switch.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace neutone::engine {

namespace {

constexpr std::int64_t kFadesPerSecond = 50;

}  // namespace

LaneSwitch::LaneSwitch(const HostFormat& host, Lane& first, std::atomic<std::size_t>& latency)
    : fade_frames_(static_cast<std::size_t>(std::max<std::int64_t>(1, host.sample_rate_hz / kFadesPerSecond))),
      max_block_frames_(host.max_block_frames),
      next_out_(host.out_channels * host.max_block_frames),
      latency_(latency),
      wanted_(&first),
      playing_(&first) {
  latency_.store(first.latency_samples(), std::memory_order_relaxed);
}

bool LaneSwitch::needs(const Lane* lane) const noexcept {
  // In this order: one that goes from next to playing is written there before it is wiped out here.
  return lane == wanted_.load() || lane == next_.load() || lane == playing_.load();
}

void LaneSwitch::look_for_wanted() noexcept NEUTONE_NONBLOCKING {
  if (faded_ > 0) return;  // one after another
  Lane* const wanted = wanted_.load();
  if (wanted == (next() == nullptr ? playing() : next())) return;
  if (wanted == playing()) {
    next_.store(nullptr);
    return;
  }
  next_.store(wanted);
  if (wanted_.load() != wanted) {  // it may be gone; the next callback looks again
    next_.store(nullptr);
    return;
  }
  wanted->start();
  if (playing()->frames_out() == 0) take_over();
}

void LaneSwitch::take_over() noexcept NEUTONE_NONBLOCKING {
  playing_.store(next());
  next_.store(nullptr);
  faded_ = 0;
  latency_.store(playing()->latency_samples(), std::memory_order_relaxed);
}

void LaneSwitch::restart() noexcept NEUTONE_NONBLOCKING {
  if (next() != nullptr) take_over();
  playing()->start();
}

std::size_t LaneSwitch::process(const dsp::Planar<const float>& in, const dsp::Planar<const float>& params,
                                const dsp::Planar<float>& out) noexcept NEUTONE_NONBLOCKING {
  look_for_wanted();
  playing()->push(in, params);
  if (next() != nullptr) next()->push(in, params);  // `out` may be the memory of `in`: only now it may be written to
  const std::size_t n_missing = playing()->pull(out);
  if (next() == nullptr) return n_missing;
  return std::min(n_missing + fade(out), out.frames);
}

std::size_t LaneSwitch::fade(const dsp::Planar<float>& out) noexcept NEUTONE_NONBLOCKING {
  Lane& lane = *next();
  const std::uint64_t before = lane.frames_out();
  const dsp::Planar<float> own{next_out_.data(), out.channels, out.frames,
                               static_cast<std::ptrdiff_t>(max_block_frames_), 1};
  const std::size_t n_missing = lane.pull(own);
  const std::size_t latency = lane.latency_samples();
  const std::size_t n_silent = before < latency ? static_cast<std::size_t>(latency - before) : 0;
  if (n_silent >= out.frames) return 0;
  const std::size_t count = out.frames - n_silent;
  mix(own.slice_frames(n_silent, count), out.slice_frames(n_silent, count));
  if (faded_ == fade_frames_) take_over();
  return n_missing;
}

void LaneSwitch::mix(const dsp::Planar<const float>& in, const dsp::Planar<float>& out) noexcept NEUTONE_NONBLOCKING {
  const std::size_t count = std::min(out.frames, fade_frames_ - faded_);
  const float step = 1.0F / static_cast<float>(fade_frames_);
  for (std::size_t channel = 0; channel < out.channels; ++channel) {
    const float* const from = in.row(channel);
    float* to = out.row(channel);
    for (std::size_t frame = 0; frame < count; ++frame, to += out.frame_stride) {
      const float gain = static_cast<float>(faded_ + frame + 1) * step;
      *to = gain * from[frame] + (1.0F - gain) * *to;
    }
  }
  dsp::copy_frames<float>(in.slice_frames(count, out.frames - count), out.slice_frames(count, out.frames - count));
  faded_ += count;
}

}  // namespace neutone::engine
