#pragma once

#include <torch/headeronly/core/ScalarType.h>
#include <torch/headeronly/util/Exception.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "dsp/planar.h"
#include "dsp/spsc_ring.h"
#include "ops/tensor.h"

// How operators look at tensors: every argument is checked here, by its name, before a pointer to it is taken.
namespace neutone::ops {

using torch::headeronly::ScalarType;

// Whether `tensor` has elements of that type.
[[nodiscard]] bool has_dtype(const Tensor& tensor, ScalarType dtype);

// Raises unless `tensor` is a strided CPU tensor of that type with `ndim` dimensions. `op` and `name` go into the
// message.
void check_tensor(const char* op, const char* name, const Tensor& tensor, int64_t ndim, ScalarType dtype);

// Whether `tensor` is one of float32 `(channels, frames)` in the CPU's memory, any strides, and then, as what.
[[nodiscard]] bool are_frames(const Tensor& tensor, dsp::Planar<const float>& frames);

// A float32 `(channels, frames)` tensor as audio, any strides. Raises if it is not one, or has no channels.
[[nodiscard]] dsp::Planar<const float> readable_frames(const char* op, const char* name, const Tensor& tensor);
// The same, for writing; also raises if two of its elements may share memory, as in an expanded tensor.
[[nodiscard]] dsp::Planar<float> writable_frames(const char* op, const char* name, const Tensor& tensor);

// Column `column` of a float32 control `(channels or 1, frames or 1, columns)`, any strides: a value for every channel
// and frame, where there is only one by a stride of 0. Raises if the tensor is not one.
[[nodiscard]] dsp::Planar<const float> readable_control(const char* op, const char* name, const Tensor& tensor,
                                                        const dsp::Planar<const float>& audio, int64_t columns,
                                                        int64_t column = 0);

// Who calls: only the counters of that side may be looked at, the others belong to another thread.
enum class Side : std::uint8_t { kProducer, kConsumer, kBoth, kNeither };

// The ring that lives in `samples` (channels, capacity) float32 and `cursors` (16,) int64, both contiguous, the
// capacity a power of two. Raises if they are not, or if the counters of that side cannot be a ring's.
[[nodiscard]] dsp::RingView<float> ring_in(const char* op, const Tensor& samples, const Tensor& cursors, Side side,
                                           const char* samples_name = "samples", const char* cursors_name = "cursors");

// From the first byte of an argument's audio to behind the last; strides of tensors are never negative.
struct Memory {
  const char* name;
  const void* first;
  const void* last;
};
template <typename Sample>
[[nodiscard]] Memory memory_of(const char* name, const dsp::Planar<Sample>& frames) {
  if (frames.frames == 0) return {name, frames.data, frames.data};
  const auto last_frame = static_cast<std::ptrdiff_t>(frames.frames - 1) * frames.frame_stride;
  return {name, frames.data, frames.row(frames.channels - 1) + last_frame + 1};
}

// Raises if two arguments share memory: nothing is copied into itself.
void check_apart(const char* op, const Memory& one, const Memory& other);

// Raises unless `tensor` is contiguous and starts where its elements may.
void check_memory(const char* op, const char* name, const Tensor& tensor, std::size_t alignment);

// Makes a fresh, uninitialised, contiguous tensor.
[[nodiscard]] Tensor new_tensor(std::span<const int64_t> sizes, ScalarType dtype);
// A fresh, uninitialised float32 tensor, and its memory as audio.
struct NewFrames {
  Tensor tensor;
  dsp::Planar<float> frames;
};
[[nodiscard]] NewFrames new_frames(std::size_t channels, std::size_t frames);
// The same with one dimension.
[[nodiscard]] std::pair<Tensor, float*> new_curve(std::size_t frames);
// An int64 tensor without dimensions.
[[nodiscard]] Tensor new_integer(int64_t value);

// Raises if `count` is negative.
[[nodiscard]] std::size_t checked_count(const char* op, const char* name, int64_t count);

}  // namespace neutone::ops
