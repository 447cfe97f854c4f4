#pragma once

#include <cstddef>
#include <cstdint>

#include "dsp/planar.h"
#include "dsp/resampler.h"
#include "dsp/spsc_ring.h"
#include "ops/tensors.h"

// What flows between a host and a model, as operators get it. Audio waits in one ring, at the model's rate, and the
// parameters that belong to it in another, at the host's; both take in every block together.
namespace neutone::ops {

// Raises unless audio of so many channels can be fitted to the others.
void check_fit(const char* op, std::size_t in, std::size_t out);

// Whether a callback's block is in order: mono or stereo, of so many frames, with a value or a curve for each
// parameter. In one call, because every callback asks; what is wrong is found out by those who have to say it.
[[nodiscard]] bool is_block(const Tensor& audio, const Tensor& params, int64_t n_params, int64_t least_frames,
                            int64_t most_frames);

// A resampler at the host's end of a ring.
[[nodiscard]] dsp::ResamplerView<float> resampler_at(const char* op, const Tensor& table, const Tensor& history,
                                                     const Tensor& state, const dsp::RingView<float>& ring);

// A block of the host as the stream takes it: parameters as a curve over the block, also where one value stands for it.
struct Block {
  dsp::Planar<const float> audio;
  dsp::Planar<const float> params;
};

// The rings that a block goes into, and comes out of.
struct Rings {
  dsp::RingView<float> audio;
  dsp::RingView<float> params;
};
[[nodiscard]] Rings rings_in(const char* op, const Tensor& samples, const Tensor& cursors, const Tensor& param_samples,
                             const Tensor& param_cursors, Side side);

// Raises unless a block is what the rings are made for.
[[nodiscard]] Block checked_block(const char* op, const Tensor& audio, const Tensor& params, const Rings& rings);

// Raises unless there is room for `audio_frames` of audio, and parameters for `frames` of the host.
void check_room(const char* op, std::size_t audio_frames, std::size_t frames, Rings& rings);

// Queues a block for which there is room, and the first of its parameters `n_before` times more.
void write_block(const Block& block, std::size_t n_before, Rings& rings);
// The same, at the model's rate.
void write_block(const Block& block, std::size_t n_before, dsp::ResamplerView<float>& resampler, Rings& rings);

// The oldest `frames` frames of a ring. Raises if it does not hold so many.
[[nodiscard]] dsp::RingView<float>::Region checked_frames(const char* op, std::size_t frames,
                                                          dsp::RingView<float>& ring);

// Takes the oldest frames as one fresh tensor with the channels that the host wants. Raises if the ring does not hold
// so many; then nothing has changed.
[[nodiscard]] Tensor pop_frames(const char* op, std::size_t frames, std::size_t channels, dsp::RingView<float>& ring);
// The same from a ring at the model's rate, at the host's.
[[nodiscard]] Tensor pop_frames(const char* op, std::size_t frames, std::size_t channels,
                                dsp::ResamplerView<float>& resampler, dsp::RingView<float>& ring);

}  // namespace neutone::ops
