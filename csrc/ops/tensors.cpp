#include "ops/tensors.h"

#include <torch/csrc/inductor/aoti_torch/c/shim.h>

#include <atomic>
#include <bit>
#include <cstddef>
#include <functional>
#include <span>
#include <string>

namespace neutone::ops {
namespace {

constexpr int64_t kCursorWords = sizeof(dsp::RingCursors) / sizeof(int64_t);

// By torch's code.
const char* dtype_name(int32_t code) {
  const std::array names{
      std::pair{aoti_torch_dtype_float32(), "float32"},     std::pair{aoti_torch_dtype_float64(), "float64"},
      std::pair{aoti_torch_dtype_float16(), "float16"},     std::pair{aoti_torch_dtype_bfloat16(), "bfloat16"},
      std::pair{aoti_torch_dtype_int64(), "int64"},         std::pair{aoti_torch_dtype_int32(), "int32"},
      std::pair{aoti_torch_dtype_int16(), "int16"},         std::pair{aoti_torch_dtype_int8(), "int8"},
      std::pair{aoti_torch_dtype_uint8(), "uint8"},         std::pair{aoti_torch_dtype_bool(), "bool"},
      std::pair{aoti_torch_dtype_complex64(), "complex64"}, std::pair{aoti_torch_dtype_complex128(), "complex128"},
  };
  for (const auto& [known, name] : names) {
    if (known == code) return name;
  }
  return "another type";
}

int32_t dtype_code(ScalarType dtype) {
  switch (dtype) {
    case ScalarType::Double: return aoti_torch_dtype_float64();
    case ScalarType::Long: return aoti_torch_dtype_int64();
    default: return aoti_torch_dtype_float32();
  }
}

[[noreturn]] void refuse_dtype(const char* op, const char* name, const Tensor& tensor, ScalarType dtype) {
  const char* const wanted = dtype_name(dtype_code(dtype));
  STD_TORCH_CHECK(false, op, ": ", name, " must be ", wanted, ", got ", dtype_name(tensor.dtype()),
                  "; convert it with .to(torch.", wanted, ")");
}

std::string shape_of(const Tensor& tensor) {
  std::string text = "(";
  const int64_t dims = tensor.dim();
  for (int64_t i = 0; i < dims; ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(tensor.sizes()[i]);
  }
  return text + ")";
}

template <typename Sample>
dsp::Planar<Sample> as_planar(const Tensor& tensor, Sample* data) {
  const int64_t* const sizes = tensor.sizes();
  const int64_t* const strides = tensor.strides();
  return {data, static_cast<std::size_t>(sizes[0]), static_cast<std::size_t>(sizes[1]), strides[0], strides[1]};
}

// Rows that do not interleave, or columns that do not. Says yes to some exotic strides that would do.
bool may_overlap(const dsp::Planar<float>& frames) {
  const auto rows = static_cast<std::ptrdiff_t>(frames.channels);
  const auto columns = static_cast<std::ptrdiff_t>(frames.frames);
  const std::ptrdiff_t row_stride = frames.channel_stride;
  const std::ptrdiff_t column_stride = frames.frame_stride;
  if (columns <= 1) return rows > 1 && row_stride == 0;
  if (rows <= 1) return column_stride == 0;
  const bool rows_apart = column_stride > 0 && column_stride * (columns - 1) < row_stride;
  const bool columns_apart = row_stride > 0 && row_stride * (rows - 1) < column_stride;
  return !rows_apart && !columns_apart;
}

// How far one counter, which the calling side advances or alone looks at, is ahead of another.
uint64_t lag(uint64_t& ahead, uint64_t& behind) {
  return std::atomic_ref(ahead).load(std::memory_order_relaxed) -
         std::atomic_ref(behind).load(std::memory_order_relaxed);
}

// Memory that others made may start anywhere.
bool is_aligned(const void* data, std::size_t alignment) {
  return std::bit_cast<std::uintptr_t>(data) % alignment == 0;
}

void check_alignment(const char* op, const char* name, const void* data, std::size_t alignment) {
  STD_TORCH_CHECK(is_aligned(data, alignment), op, ": ", name, " must start at a multiple of ", alignment,
                  " bytes; pass a copy made with .clone()");
}

// Says what is wrong with audio that is not in order.
void check_frames(const char* op, const char* name, const Tensor& tensor) {
  check_tensor(op, name, tensor, 2, ScalarType::Float);
  STD_TORCH_CHECK(tensor.sizes()[0] > 0, op, ": ", name, " must have at least one channel, got shape ",
                  shape_of(tensor));
  check_alignment(op, name, tensor.const_data_ptr(), alignof(float));
}

// Torch's codes are asked for once: what an operator asks of its arguments is much of its time.
// NOLINTBEGIN(bugprone-throwing-static-initialization): these functions of C return a constant
const int32_t kCpu = aoti_torch_device_type_cpu();
const int32_t kStrided = aoti_torch_layout_strided();
const int32_t kFloat = aoti_torch_dtype_float32();
// NOLINTEND(bugprone-throwing-static-initialization)

}  // namespace

bool has_dtype(const Tensor& tensor, ScalarType dtype) { return tensor.dtype() == dtype_code(dtype); }

void check_tensor(const char* op, const char* name, const Tensor& tensor, int64_t ndim, ScalarType dtype) {
  STD_TORCH_CHECK(tensor.defined(), op, ": ", name, " is undefined; pass a tensor");
  STD_TORCH_CHECK(tensor.device_type() == kCpu, op, ": ", name, " must be on the CPU; move it with .cpu()");
  STD_TORCH_CHECK(tensor.layout() == kStrided, op, ": ", name, " must be a dense tensor; convert it with .to_dense()");
  STD_TORCH_CHECK(tensor.dim() == ndim, op, ": ", name, " must have ", ndim, " dimensions, got shape ",
                  shape_of(tensor));
  if (!has_dtype(tensor, dtype)) refuse_dtype(op, name, tensor, dtype);
}

bool are_frames(const Tensor& tensor, dsp::Planar<const float>& frames) {
  // An undefined tensor has other dimensions.
  if (tensor.dim() != 2 || tensor.dtype() != kFloat || tensor.layout() != kStrided || tensor.device_type() != kCpu) {
    return false;
  }
  frames = as_planar(tensor, tensor.const_data_ptr<float>());
  return frames.channels > 0 && is_aligned(frames.data, alignof(float));
}

dsp::Planar<const float> readable_frames(const char* op, const char* name, const Tensor& tensor) {
  dsp::Planar<const float> frames;
  if (!are_frames(tensor, frames)) check_frames(op, name, tensor);
  return frames;
}

dsp::Planar<float> writable_frames(const char* op, const char* name, const Tensor& tensor) {
  check_frames(op, name, tensor);
  const dsp::Planar<float> frames = as_planar(tensor, tensor.mutable_data_ptr<float>());
  STD_TORCH_CHECK(!may_overlap(frames), op, ": ", name,
                  " holds one element of memory twice; pass a copy made with .contiguous()");
  return frames;
}

dsp::Planar<const float> readable_control(const char* op, const char* name, const Tensor& tensor,
                                          const dsp::Planar<const float>& audio, int64_t columns, int64_t column) {
  check_tensor(op, name, tensor, 3, ScalarType::Float);
  const auto channels = static_cast<int64_t>(audio.channels);
  const auto frames = static_cast<int64_t>(audio.frames);
  const int64_t* const sizes = tensor.sizes();
  STD_TORCH_CHECK(
      (sizes[0] == 1 || sizes[0] == channels) && (sizes[1] == 1 || sizes[1] == frames) && sizes[2] == columns, op, ": ",
      name, " must have shape (1 or ", channels, ", 1 or ", frames, ", ", columns, "), got ", shape_of(tensor));
  check_alignment(op, name, tensor.const_data_ptr(), alignof(float));
  const int64_t* const strides = tensor.strides();
  // One element for 0 frames is never looked at; none has no memory to point to.
  const auto* data = tensor.const_data_ptr<float>();
  return {frames == 0 ? data : data + column * strides[2], audio.channels, audio.frames, sizes[0] == 1 ? 0 : strides[0],
          sizes[1] == 1 ? 0 : strides[1]};
}

dsp::RingView<float> ring_in(const char* op, const Tensor& samples, const Tensor& cursors, Side side,
                             const char* samples_name, const char* cursors_name) {
  check_frames(op, samples_name, samples);
  STD_TORCH_CHECK(samples.is_contiguous(), op, ": ", samples_name, " must be contiguous");
  const auto capacity = static_cast<std::size_t>(samples.size(1));
  STD_TORCH_CHECK(dsp::is_power_of_two(capacity), op, ": ", samples_name,
                  " must have a power of two of columns, got shape ", shape_of(samples));
  check_tensor(op, cursors_name, cursors, 1, ScalarType::Long);
  STD_TORCH_CHECK(cursors.size(0) == kCursorWords && cursors.is_contiguous(), op, ": ", cursors_name,
                  " must be contiguous with shape (", kCursorWords, "), got shape ", shape_of(cursors));
  check_alignment(op, cursors_name, cursors.const_data_ptr(), alignof(dsp::RingCursors));

  auto& counters = *static_cast<dsp::RingCursors*>(cursors.mutable_data_ptr());
  dsp::RingView<float> ring(as_planar(samples, samples.mutable_data_ptr<float>()), counters);
  const bool writes = side == Side::kProducer || side == Side::kBoth;
  const bool reads = side == Side::kConsumer || side == Side::kBoth;
  STD_TORCH_CHECK((!writes || lag(counters.written, counters.read_seen) <= capacity) &&
                      (!reads || lag(counters.written_seen, counters.read) <= capacity),
                  op, ": ", cursors_name, " hold counters that no ring of ", capacity,
                  " frames can have; start from zeros");
  return ring;
}

void check_apart(const char* op, const Memory& one, const Memory& other) {
  STD_TORCH_CHECK(std::less_equal{}(one.last, other.first) || std::less_equal{}(other.last, one.first), op, ": ",
                  one.name, " lies in the memory of ", other.name, "; pass a copy made with .clone()");
}

void check_memory(const char* op, const char* name, const Tensor& tensor, std::size_t alignment) {
  STD_TORCH_CHECK(tensor.is_contiguous(), op, ": ", name, " must be contiguous; pass a copy made with .contiguous()");
  check_alignment(op, name, tensor.const_data_ptr(), alignment);
}

Tensor new_tensor(std::span<const int64_t> sizes, ScalarType dtype) {
  std::array<int64_t, 2> strides{1, 1};
  if (sizes.size() == 2) strides[0] = sizes[1];
  AtenTensorHandle handle = nullptr;
  STABLE_TORCH_ERROR_CODE_CHECK(aoti_torch_empty_strided(static_cast<int64_t>(sizes.size()), sizes.data(),
                                                         strides.data(), dtype_code(dtype),
                                                         aoti_torch_device_type_cpu(), 0, &handle));
  return Tensor(handle);
}

NewFrames new_frames(std::size_t channels, std::size_t frames) {
  Tensor tensor =
      new_tensor(std::array{static_cast<int64_t>(channels), static_cast<int64_t>(frames)}, ScalarType::Float);
  const dsp::Planar<float> planar{tensor.mutable_data_ptr<float>(), channels, frames,
                                  static_cast<std::ptrdiff_t>(frames), 1};
  return {std::move(tensor), planar};
}

std::pair<Tensor, float*> new_curve(std::size_t frames) {
  Tensor tensor = new_tensor(std::array{static_cast<int64_t>(frames)}, ScalarType::Float);
  auto* data = tensor.mutable_data_ptr<float>();
  return {std::move(tensor), data};
}

Tensor new_integer(int64_t value) {
  Tensor tensor = new_tensor({}, ScalarType::Long);
  *tensor.mutable_data_ptr<int64_t>() = value;
  return tensor;
}

std::size_t checked_count(const char* op, const char* name, int64_t count) {
  STD_TORCH_CHECK(count >= 0, op, ": ", name, " must be at least 0, got ", count);
  return static_cast<std::size_t>(count);
}

}  // namespace neutone::ops
