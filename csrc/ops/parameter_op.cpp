// Adapts dsp/parameters.h to tensors.
#include <utility>

#include "dsp/parameters.h"
#include "ops/registration.h"
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

void check_rows(const char* op, const Planar<const float>& params, const Tensor& ranges) {
  check_tensor(op, "ranges", ranges, 2, ScalarType::Float);
  STD_TORCH_CHECK(ranges.size(1) == 3 && ranges.is_contiguous(), op,
                  ": ranges must be contiguous with 3 columns (minimum, maximum, is_categorical), got ",
                  ranges.size(1));
  STD_TORCH_CHECK(std::cmp_less_equal(ranges.size(0), params.channels), op, ": params must have a row for each of the ",
                  ranges.size(0), " ranges, got ", params.channels);
}

// Calls `map(row of params, its range)` for every range and collects what it returns.
template <typename Map>
std::vector<Tensor> map_rows(const Planar<const float>& params, const Tensor& ranges, Map map) {
  const auto n_params = static_cast<std::size_t>(ranges.size(0));
  const float* range = ranges.const_data_ptr<float>();
  std::vector<Tensor> values;
  values.reserve(n_params);
  for (std::size_t param = 0; param < n_params; ++param, range += 3) {
    values.push_back(map(params.row(param), ParameterRange{range[0], range[1], range[2] != 0.0F}));
  }
  return values;
}

// params (at least n, frames) of 0..1, ranges (n, 3) of minimum, maximum, is_categorical -> n fresh (frames,).
std::vector<Tensor> denormalize_params(const Tensor& params, const Tensor& ranges) {
  const Planar<const float> in = readable_frames("denormalize_params", "params", params);
  check_rows("denormalize_params", in, ranges);
  return map_rows(in, ranges, [&in](const float* value, ParameterRange range) {
    auto [tensor, out] = neutone::ops::new_curve(in.frames);
    for (std::size_t frame = 0; frame < in.frames; ++frame, value += in.frame_stride) {
      out[frame] = range.from_0to1(*value);
    }
    return tensor;
  });
}

// The same of the means over the block, n fresh (1,): mean_params and denormalize_params in one call, for used rows
// only.
std::vector<Tensor> denormalize_mean_params(const Tensor& params, const Tensor& ranges) {
  const Planar<const float> in = readable_frames("denormalize_mean_params", "params", params);
  check_rows("denormalize_mean_params", in, ranges);
  STD_TORCH_CHECK(in.frames > 0, "denormalize_mean_params: params must have at least one frame");
  return map_rows(in, ranges, [&in](const float* values, ParameterRange range) {
    auto [tensor, out] = neutone::ops::new_curve(1);
    *out = range.from_0to1(neutone::dsp::mean(values, in.frame_stride, in.frames));
    return tensor;
  });
}

bool is_first_copy = false;  // see define; NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

}  // namespace

STABLE_TORCH_LIBRARY_FRAGMENT(neutone, m) {
  is_first_copy = neutone::ops::define(m, {
                                              "mean_params(Tensor params) -> Tensor",
                                              "denormalize_params(Tensor params, Tensor ranges) -> Tensor[]",
                                              "denormalize_mean_params(Tensor params, Tensor ranges) -> Tensor[]",
                                          });
}

STABLE_TORCH_LIBRARY_IMPL(neutone, CompositeExplicitAutograd, m) {
  if (!is_first_copy) return;
  m.impl("mean_params", TORCH_BOX(&mean_params));
  m.impl("denormalize_params", TORCH_BOX(&denormalize_params));
  m.impl("denormalize_mean_params", TORCH_BOX(&denormalize_mean_params));
}
