#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "host_stream_memory.h"
#include "planar.h"
#include "resampler.h"
#include "spsc_ring.h"

// Everything that flows between a host and a model. Audio waits in one ring until a block of the model is full, and in
// another until the host asks for it, both at the model's rate; where the host has another, a resampler sits at its end
// of each. Parameters wait in a third ring, at the host's rate, and belong to the audio that came with them.
namespace neutone::dsp {

// A block of the host: as many values of each parameter as frames, also where one stands for all (frame stride 0).
struct HostBlock {
  Planar<const float> audio;
  Planar<const float> params;
};

// A stream in memory that it does not own. A callback is: `push`; then, for every full block of the model, `take`, and
// `put` what the model made of it; then `pop`. What a call needs has to be there (room for, full_blocks, has_block,
// output), and then it neither allocates nor throws. [one thread at a time]
class HostStreamView {
 public:
  // Writes a stream that is idle into memory for HostStreamLayout(header).size floats. [allocates]
  static void make(const HostStreamHeader& header, const Planar<const float>& default_params, float* memory);

  // `memory` begins on a cache line, and its header is sane.
  explicit HostStreamView(float* memory) noexcept
      : memory_(memory), header_(reinterpret_cast<HostStreamHeader*>(memory)), layout_(*header_) {}

  [[nodiscard]] const HostStreamHeader& header() const noexcept { return *header_; }
  [[nodiscard]] Planar<const float> memory() const noexcept { return {memory_, 1, layout_.size, 0, 1}; }

  // Where the output begins so that all delays together are `total_delay` samples of the host, `model_delay` the
  // model's own; silence takes the place of what is missing before it.
  struct Beginning {
    std::int64_t first_step;
    std::int64_t n_silent;
  };
  [[nodiscard]] Beginning beginning(std::int64_t total_delay, std::int64_t model_delay) const noexcept;
  // Whether it can begin there.
  [[nodiscard]] bool can_start(const Beginning& beginning) const noexcept;
  // Starts from silence, and from the parameters' defaults.
  void start(HostStreamMode mode, const Beginning& beginning) noexcept;
  // From now on it has to be started.
  void stop() noexcept { header_->mode = HostStreamMode::kIdle; }

  // Whether there is room for a block of the host.
  [[nodiscard]] bool has_room(std::size_t host_frames) const noexcept;
  // Blocks that the model could take after `host_frames` more frames of the host.
  [[nodiscard]] std::size_t full_blocks(std::size_t host_frames = 0) const noexcept;
  // Queues a block of the host, and cleans its parameters.
  void push(const HostBlock& block) noexcept;

  // Whether audio and parameters of the model's next block are there.
  [[nodiscard]] bool has_block() const noexcept;
  // Moves them out: audio (in_channels, model_block), parameters (n_params, model_block), or (n_params, 1) if the model
  // takes means; frame strides of 1.
  void take(const Planar<float>& audio, const Planar<float>& params) noexcept;

  // Whether there is room for what the model makes of a block.
  [[nodiscard]] bool has_room_behind() const noexcept;
  // Queues it: (out_channels, model_block).
  void put(const Planar<const float>& audio) noexcept;

  // Frames that the host could pop after `more` more frames of the model's.
  [[nodiscard]] std::size_t ready_after(std::size_t more) const noexcept;
  // Moves so many out, with one channel or two.
  void pop(const Planar<float>& out) noexcept;

  // What has to be known between the calls of one callback: the output that the host waits for.
  void set_busy(std::size_t host_frames, std::size_t host_channels) noexcept;
  void set_done() noexcept { header_->is_busy = 0; }

 private:
  [[nodiscard]] RingView<float> in() const noexcept;
  [[nodiscard]] RingView<float> out() const noexcept;
  [[nodiscard]] RingView<float> params() const noexcept;
  [[nodiscard]] ResamplerView<float> to_model() const noexcept;
  [[nodiscard]] ResamplerView<float> to_host() const noexcept;
  // Frames of the model's that so many of the host's become.
  [[nodiscard]] std::size_t frames_of(std::size_t host_frames) const noexcept;
  // Values of the first parameter to be queued before the first block's: the resampler begins in silence that has none.
  [[nodiscard]] std::size_t n_before() const noexcept;

  float* memory_;
  HostStreamHeader* header_;
  HostStreamLayout layout_;
};

}  // namespace neutone::dsp
