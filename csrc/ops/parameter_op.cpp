// Adapts dsp/parameters.h and dsp/parameter_smoother.h to tensors.
#include <string>
#include <utility>
#include <vector>

#include "dsp/parameter_smoother.h"
#include "dsp/parameters.h"
#include "ops/registration.h"
#include "ops/tensors.h"

namespace {

using neutone::dsp::Aggregation;
using neutone::dsp::copy_cleaned;
using neutone::dsp::mean_cleaned;
using neutone::dsp::ParameterRange;
using neutone::dsp::ParameterSmoother;
using neutone::dsp::Planar;
using neutone::dsp::Smoothing;
using neutone::ops::check_apart;
using neutone::ops::check_memory;
using neutone::ops::check_tensor;
using neutone::ops::checked_count;
using neutone::ops::memory_of;
using neutone::ops::new_frames;
using neutone::ops::NewFrames;
using neutone::ops::readable_frames;
using neutone::ops::ScalarType;
using neutone::ops::Tensor;

Aggregation checked_aggregation(const char* op, const std::string& how) {
  if (how == "last") return Aggregation::kLast;
  if (how == "min") return Aggregation::kMinimum;
  if (how == "max") return Aggregation::kMaximum;
  STD_TORCH_CHECK(how == "mean", op, ": how must be mean, last, min or max, got ", how);
  return Aggregation::kMean;
}

// A curve for each parameter, of at least one value.
Planar<const float> checked_curves(const char* op, const Tensor& params) {
  const Planar<const float> curves = readable_frames(op, "params", params);
  STD_TORCH_CHECK(curves.frames > 0, op, ": params must have at least one frame");
  return curves;
}

// params (n_params, frames) -> (n_params, 1), fresh.
Tensor aggregate_params(const Tensor& params, const std::string& how) {
  constexpr const char* kOp = "aggregate_params";
  const Aggregation aggregation = checked_aggregation(kOp, how);
  const Planar<const float> in = checked_curves(kOp, params);
  NewFrames out = new_frames(in.channels, 1);
  for (std::size_t param = 0; param < in.channels; ++param) {
    *out.frames.row(param) = neutone::dsp::aggregate(aggregation, in.row(param), in.frame_stride, in.frames);
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

// One number for each row of params: the value before the next, for what is not a number.
float* checked_last(const char* op, const Planar<const float>& params, const Tensor& last) {
  check_tensor(op, "last", last, 1, ScalarType::Float);
  check_memory(op, "last", last, alignof(float));
  STD_TORCH_CHECK(std::cmp_equal(last.size(0), params.channels), op, ": last must have a value for each of the ",
                  params.channels, " rows of params, got ", last.size(0));
  check_apart(op, memory_of("params", params),
              {"last", last.const_data_ptr(), last.const_data_ptr<float>() + params.channels});
  return last.mutable_data_ptr<float>();
}

// Calls `visit(parameter, its range)` for every range.
template <typename Visit>
void each_range(const Tensor& ranges, const Visit& visit) {
  const auto n_params = static_cast<std::size_t>(ranges.size(0));
  const auto* range = ranges.const_data_ptr<float>();
  for (std::size_t param = 0; param < n_params; ++param, range += 3) {
    visit(param, ParameterRange{range[0], range[1], range[2] != 0.0F});
  }
}

// params (n_params, 1 or n_frames) as a host sends them -> (n_params, n_frames), fresh, in 0..1 and without gaps.
Tensor clean_params(const Tensor& params, int64_t n_frames, const Tensor& last) {
  constexpr const char* kOp = "clean_params";
  Planar<const float> in = checked_curves(kOp, params);
  const std::size_t frames = checked_count(kOp, "n_frames", n_frames);
  STD_TORCH_CHECK(in.frames == 1 || in.frames == frames, kOp, ": params must have 1 column or the ", frames,
                  " of n_frames, got ", in.frames);
  if (in.frames == 1) in.frame_stride = 0;
  float* const before = checked_last(kOp, in, last);
  NewFrames out = new_frames(in.channels, frames);
  for (std::size_t param = 0; param < in.channels; ++param) {
    before[param] = copy_cleaned(in.row(param), in.frame_stride, out.frames.row(param), frames, before[param]);
  }
  return std::move(out.tensor);
}

// params (at least n, frames) of 0..1, ranges (n, 3) of minimum, maximum, is_categorical -> n fresh (frames,).
std::vector<Tensor> denormalize_params(const Tensor& params, const Tensor& ranges) {
  const Planar<const float> in = readable_frames("denormalize_params", "params", params);
  check_rows("denormalize_params", in, ranges);
  std::vector<Tensor> curves;
  curves.reserve(static_cast<std::size_t>(ranges.size(0)));
  each_range(ranges, [&](std::size_t param, ParameterRange range) {
    auto [tensor, out] = neutone::ops::new_curve(in.frames);
    const float* value = in.row(param);
    for (std::size_t frame = 0; frame < in.frames; ++frame, value += in.frame_stride) {
      out[frame] = range.from_0to1(*value);
    }
    curves.push_back(std::move(tensor));
  });
  return curves;
}

// The mean over a block of what a host sends, cleaned, in the parameter's range: (n, 1), fresh. In one call, for used
// rows only. One tensor, because torch.export takes no operator that writes to an argument and returns a list.
Tensor denormalize_mean_params(const Tensor& params, const Tensor& ranges, const Tensor& last) {
  constexpr const char* kOp = "denormalize_mean_params";
  const Planar<const float> in = checked_curves(kOp, params);
  check_rows(kOp, in, ranges);
  float* const before = checked_last(kOp, in, last);
  NewFrames out = new_frames(static_cast<std::size_t>(ranges.size(0)), 1);
  each_range(ranges, [&](std::size_t param, ParameterRange range) {
    const float mean = mean_cleaned(in.row(param), in.frame_stride, in.frames, before[param]);
    *out.frames.row(param) = range.from_0to1(mean);
  });
  return std::move(out.tensor);
}

// A row of smoothing (n, 2) float64: 1 for linear, 2 for one-pole, and the time in samples.
struct SmoothingRow {
  Smoothing kind;
  double time_samples;
};

SmoothingRow checked_smoothing(const char* op, const double* row) {
  STD_TORCH_CHECK(row[0] == 1.0 || row[0] == 2.0, op, ": smoothing must have 1 or 2 in its first column, got ", row[0]);
  STD_TORCH_CHECK(row[1] >= 0.0 && row[1] <= 1e12, op,
                  ": smoothing must have a time of 0 to 1e12 samples in its second column, got ", row[1]);
  return {row[0] == 1.0 ? Smoothing::kLinear : Smoothing::kOnePole, row[1]};
}

// values (n, 1), one a block, -> curves (n, n_frames), fresh. state (n, 4) float64, zeros for a fresh start.
Tensor smooth_params(const Tensor& values, const Tensor& smoothing, int64_t n_frames, const Tensor& state) {
  constexpr const char* kOp = "smooth_params";
  const Planar<const float> in = readable_frames(kOp, "values", values);
  STD_TORCH_CHECK(in.frames == 1, kOp, ": values must have 1 column, got ", in.frames);
  const std::size_t frames = checked_count(kOp, "n_frames", n_frames);
  STD_TORCH_CHECK(frames > 0, kOp, ": n_frames must be at least 1");
  const auto check_table = [&in, kOp](const char* name, const Tensor& table, int64_t columns) {
    check_tensor(kOp, name, table, 2, ScalarType::Double);
    check_memory(kOp, name, table, alignof(double));
    STD_TORCH_CHECK(std::cmp_equal(table.size(0), in.channels) && table.size(1) == columns, kOp, ": ", name,
                    " must have shape (", in.channels, ", ", columns, "), got (", table.size(0), ", ", table.size(1),
                    ")");
  };
  check_table("smoothing", smoothing, 2);
  check_table("state", state, sizeof(ParameterSmoother) / sizeof(double));
  const auto* const rows = smoothing.const_data_ptr<double>();
  for (std::size_t row = 0; row < in.channels; ++row) static_cast<void>(checked_smoothing(kOp, rows + 2 * row));
  auto* const smoothers = reinterpret_cast<ParameterSmoother*>(state.mutable_data_ptr<double>());
  NewFrames out = new_frames(in.channels, frames);
  for (std::size_t row = 0; row < in.channels; ++row) {
    const SmoothingRow how = checked_smoothing(kOp, rows + 2 * row);
    float* const curve = out.frames.row(row);
    smoothers[row].process(how.kind, how.time_samples, static_cast<double>(*in.row(row)), frames,
                           [curve](std::size_t i, double value) { curve[i] = static_cast<float>(value); });
  }
  return std::move(out.tensor);
}

bool is_first_copy = false;  // see define; NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

}  // namespace

STABLE_TORCH_LIBRARY_FRAGMENT(neutone, m) {
  is_first_copy = neutone::ops::define(
      m, {
             "aggregate_params(Tensor params, str how) -> Tensor",
             "clean_params(Tensor params, int n_frames, Tensor(a!) last) -> Tensor",
             "denormalize_params(Tensor params, Tensor ranges) -> Tensor[]",
             "denormalize_mean_params(Tensor params, Tensor ranges, Tensor(a!) last) -> Tensor",
             "smooth_params(Tensor values, Tensor smoothing, int n_frames, Tensor(a!) state) -> Tensor",
         });
}

STABLE_TORCH_LIBRARY_IMPL(neutone, CompositeExplicitAutograd, m) {
  if (!is_first_copy) return;
  m.impl("aggregate_params", neutone::ops::boxed<&aggregate_params>);
  m.impl("clean_params", neutone::ops::boxed<&clean_params>);
  m.impl("denormalize_params", neutone::ops::boxed<&denormalize_params>);
  m.impl("denormalize_mean_params", neutone::ops::boxed<&denormalize_mean_params>);
  m.impl("smooth_params", neutone::ops::boxed<&smooth_params>);
}
