#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "../dsp/aligned_buffer.h"
#include "../dsp/control_stream.h"
#include "../dsp/planar.h"
#include "../dsp/realtime.h"
#include "../dsp/resampler.h"
#include "../dsp/schedule.h"
#include "../dsp/spsc_ring.h"
#include "block_slots.h"
#include "model.h"

namespace neutone::engine {

// Turns what a host brings into blocks of a model, straight into their slots. [audio, wait-free]
class BlockGatherer {
 public:
  // `to_model` resamples, or is null at equal rates. Both outlive this. [allocates]
  BlockGatherer(const HostFormat& host, const ModelFormat& format, BlockSlots& slots, dsp::Resampler<float>* to_model);

  // Forgets all audio; the next block is the first of the stream of this number.
  void start(std::uint64_t stream) noexcept NEUTONE_NONBLOCKING;
  // Takes in a block of the host, with values or curves of its parameters, and returns how many blocks it has made.
  std::size_t push(const dsp::Planar<const float>& audio,
                   const dsp::Planar<const float>& params) noexcept NEUTONE_NONBLOCKING;
  // Of the block that is filled next or just now.
  [[nodiscard]] std::uint64_t number() const noexcept NEUTONE_NONBLOCKING { return number_; }

 private:
  // A curve for each parameter over `frames` frames, whatever the host brought; the values before where there is none.
  [[nodiscard]] dsp::Planar<const float> fitted(const dsp::Planar<const float>& params,
                                                std::size_t frames) const noexcept NEUTONE_NONBLOCKING;
  void push_equal(const dsp::Planar<const float>& audio,
                  const dsp::Planar<const float>& params) noexcept NEUTONE_NONBLOCKING;
  void push_resampled(const dsp::Planar<const float>& audio,
                      const dsp::Planar<const float>& params) noexcept NEUTONE_NONBLOCKING;
  // Resamples what is ready into blocks, with the parameters that belong to it.
  void filter_ready() noexcept NEUTONE_NONBLOCKING;
  void carry_params(const dsp::Planar<float>& to) noexcept NEUTONE_NONBLOCKING;
  // Room in the block that is being filled, of at most so many frames.
  [[nodiscard]] Block room(std::size_t frames) noexcept NEUTONE_NONBLOCKING;
  void advance(std::size_t frames) noexcept NEUTONE_NONBLOCKING;

  BlockSlots spare_;  // one slot: where a block goes that has none
  BlockSlots& slots_;
  dsp::Resampler<float>* to_model_;
  std::size_t block_frames_;
  Block* block_ = nullptr;  // that is being filled
  std::size_t filled_ = 0;
  std::uint64_t number_ = 0;
  std::uint64_t stream_ = 0;

  std::unique_ptr<dsp::SpscRing<float>> waiting_;  // values of the parameters, at the host's rate
  dsp::AlignedBuffer<bool> are_stepped_;
  std::vector<float> defaults_;
  std::vector<float> held_;  // the latest value of each parameter
  dsp::ControlTimes times_;
  bool is_kept_ = false;  // the block has a slot
  bool is_fresh_ = true;  // nothing has come in since the start
};

}  // namespace neutone::engine
