#include "block_player.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "../dsp/channels.h"
#include "finite.h"

namespace neutone::engine {

namespace {

// After a gap, windows that reach back into it. At equal rates there are no windows, but a fade all the same.
std::size_t returning_frames(const dsp::Resampler<float>* to_host) noexcept {
  return to_host == nullptr ? GapFiller::kFadeFrames : 2 * to_host->plan().half_taps - 1;
}

// In those windows the gap's end moves past the middle, where it is heard as a step: the fade is in the second half.
GapFiller filler_for(const dsp::Resampler<float>* to_host) noexcept {
  if (to_host == nullptr) return GapFiller();
  const auto& plan = to_host->plan();
  const std::size_t frames =
      returning_frames(to_host) * static_cast<std::size_t>(plan.up) / static_cast<std::size_t>(plan.down);
  return GapFiller(frames - frames / 2, frames / 2);
}

}  // namespace

BlockPlayer::BlockPlayer(const HostFormat& host, const ModelFormat& format, BlockReader& reader,
                         dsp::Resampler<float>* to_host)
    : reader_(reader),
      to_host_(to_host),
      n_returning_(returning_frames(to_host)),
      filler_(filler_for(to_host)),
      resampled_(format.out_channels * host.max_block_frames),
      max_block_frames_(host.max_block_frames) {}

void BlockPlayer::start(std::int64_t first_step, std::size_t n_silent) noexcept NEUTONE_NONBLOCKING {
  n_returning_left_ = 0;
  kind_ = Frames::kRight;
  filler_.start();
  if (to_host_ != nullptr) to_host_->view().start(first_step, static_cast<std::int64_t>(n_silent));
}

std::size_t BlockPlayer::pull(const dsp::Planar<float>& out,
                              const dsp::Planar<const float>& other) noexcept NEUTONE_NONBLOCKING {
  std::size_t n_missing = 0;
  for (std::size_t done = 0; done < out.frames;) {
    const dsp::Planar<float> rest = out.slice_frames(done, out.frames - done);
    const std::size_t count = to_host_ == nullptr ? copy_some(rest) : resample_some(rest);
    const dsp::Planar<const float> instead = other.data == nullptr ? other : other.slice_frames(done, count);
    filler_.process(rest.slice_frames(0, count), instead, kind_);
    if (kind_ != Frames::kRight) n_missing += count;
    done += count;
  }
  return n_missing;
}

GapFiller::Frames BlockPlayer::judge(bool is_missing, std::size_t& count) noexcept NEUTONE_NONBLOCKING {
  if (is_missing) {
    n_returning_left_ = n_returning_;
    return Frames::kMissing;
  }
  if (n_returning_left_ == 0) return Frames::kRight;
  count = std::min(count, n_returning_left_);
  n_returning_left_ -= count;
  return Frames::kReturning;
}

std::size_t BlockPlayer::copy_some(const dsp::Planar<float>& out) noexcept NEUTONE_NONBLOCKING {
  const BlockReader::Piece piece = reader_.next(out.frames);
  std::size_t count = piece.frames.frames;
  kind_ = judge(piece.is_missing, count);
  const dsp::Planar<float> to = out.slice_frames(0, count);
  if (piece.frames.data == nullptr) {
    silence(to);
  } else {
    dsp::fit_channels<float>(piece.frames.slice_frames(0, count), to);
  }
  reader_.advance(count);
  return count;
}

std::size_t BlockPlayer::resample_some(const dsp::Planar<float>& out) noexcept NEUTONE_NONBLOCKING {
  dsp::ResamplerView<float>& resampler = to_host_->view();
  // What is ready comes before more is taken in: so all of it is of the kind of what was taken in last.
  if (resampler.ready() == 0) take_in(resampler.missing(out.frames));
  const std::size_t count = std::min(resampler.ready(), out.frames);
  const dsp::Planar<float> to = out.slice_frames(0, count);
  if (resampler.channels() == out.channels) {
    resampler.filter(to);
  } else {
    const dsp::Planar<float> own{resampled_.data(), resampler.channels(), count,
                                 static_cast<std::ptrdiff_t>(max_block_frames_), 1};
    resampler.filter(own);
    dsp::fit_channels<float>(own, to);
  }
  resampler.advance(count);
  return count;
}

void BlockPlayer::take_in(std::size_t missing) noexcept NEUTONE_NONBLOCKING {
  dsp::ResamplerView<float>& resampler = to_host_->view();
  const BlockReader::Piece piece = reader_.next(missing);
  const dsp::Planar<float> room = resampler.reserve(piece.frames.frames);
  std::size_t count = room.frames;
  kind_ = judge(piece.is_missing, count);
  const dsp::Planar<float> to = room.slice_frames(0, count);
  if (piece.frames.data == nullptr) {
    silence(to);
  } else {
    dsp::copy_frames<float>(piece.frames.slice_frames(0, count), to);
  }
  resampler.publish(count);
  reader_.advance(count);
}

}  // namespace neutone::engine
