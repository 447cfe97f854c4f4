// Adapts dsp/parameters.h to tensors.
#include <algorithm>

#include "dsp/parameters.h"
#include "ops/tensors.h"

namespace {

using neutone::dsp::ParameterRange;
using neutone::dsp::Planar;
using neutone::ops::check_tensor;
using neutone::ops::new_frames;
using neutone::ops::NewFrames;
using neutone::ops::readable_frames;
using neutone::ops::ScalarType;
using neutone::ops::Tensor;

// params (n_params, frames) -> (n_params, 1), fresh.
Tensor mean_params(const Tensor& params) {
  const Planar<const float> in = readable_frames("mean_params", "params", params);
  STD_TORCH_CHECK(in.frames > 0, "mean_params: params must have at least one frame");
  NewFrames out = new_frames(in.channels, 1);
  for (std::size_t param = 0; param < in.channels; ++param) {
    *out.frames.row(param) = neutone::dsp::mean(in.row(param), in.frame_stride, in.frames);
  }
  return std::move(out.tensor);
}

// params (any number >= n, frames) of 0..1, ranges (n, 3) of minimum, maximum, is_categorical -> n fresh (frames,).
std::vector<Tensor> denormalize_params(const Tensor& params, const Tensor& ranges) {
  constexpr const char* kOp = "denormalize_params";
  const Planar<const float> in = readable_frames(kOp, "params", params);
  check_tensor(kOp, "ranges", ranges, 2, ScalarType::Float);
  STD_TORCH_CHECK(ranges.size(1) == 3 && ranges.is_contiguous(), kOp,
                  ": ranges must be contiguous with 3 columns (minimum, maximum, is_categorical), got ",
                  ranges.size(1));
  const auto n_params = static_cast<std::size_t>(ranges.size(0));
  STD_TORCH_CHECK(n_params <= in.channels, kOp, ": params must have a row for each of the ", n_params, " ranges, got ",
                  in.channels);
  const float* row = ranges.const_data_ptr<float>();
  std::vector<Tensor> values;
  values.reserve(n_params);
  for (std::size_t param = 0; param < n_params; ++param, row += 3) {
    const ParameterRange range{row[0], row[1], row[2] != 0.0F};
    auto [tensor, out] = neutone::ops::new_curve(in.frames);
    const float* value = in.row(param);
    for (std::size_t frame = 0; frame < in.frames; ++frame, value += in.frame_stride) {
      out[frame] = range.from_0to1(*value);
    }
    values.push_back(std::move(tensor));
  }
  return values;
}

}  // namespace

STABLE_TORCH_LIBRARY_FRAGMENT(neutone, m) {
  m.def("mean_params(Tensor params) -> Tensor");
  m.def("denormalize_params(Tensor params, Tensor ranges) -> Tensor[]");
}

STABLE_TORCH_LIBRARY_IMPL(neutone, CompositeExplicitAutograd, m) {
  m.impl("mean_params", TORCH_BOX(&mean_params));
  m.impl("denormalize_params", TORCH_BOX(&denormalize_params));
}
