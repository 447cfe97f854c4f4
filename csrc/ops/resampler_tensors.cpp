#include "ops/resampler_tensors.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace neutone::ops {
namespace {

using dsp::kMaxRateHz;
using dsp::ResamplerCursor;
using dsp::ResamplerPlan;

// Which word of `state` holds what. The cursor lies there as it is.
constexpr std::size_t kUp = 0;
constexpr std::size_t kDown = 1;
constexpr std::size_t kHalfTaps = 2;
constexpr std::size_t kTaps = 3;
constexpr std::size_t kRows = 4;
constexpr std::size_t kCursor = 5;
constexpr std::size_t kEnd = 8;
static_assert(sizeof(ResamplerCursor) == (kEnd - kCursor) * sizeof(int64_t));

template <typename Real>
constexpr ScalarType kDtype = sizeof(Real) == sizeof(float) ? ScalarType::Float : ScalarType::Double;

bool is_wire(const int64_t* words) {
  return std::all_of(words, words + kCursor, [](int64_t word) { return word == 1; });
}

bool is_filter(const int64_t* words) {
  const auto in_range = [](int64_t value, int64_t least, int64_t most) { return value >= least && value <= most; };
  const int64_t taps = words[kTaps];
  return in_range(words[kUp], 1, kMaxRateHz) && in_range(words[kDown], 1, kMaxRateHz) && words[kUp] != words[kDown] &&
         taps > 0 && taps % int64_t{dsp::kTapsMultiple} == 0 && in_range(words[kHalfTaps], 1, taps / 2) &&
         words[kRows] > int64_t{dsp::kExtraRows} &&
         (words[kRows] < words[kUp] || words[kRows] % int64_t{dsp::kGroupRows} == 0);
}

ResamplerPlan plan_in(const char* op, const Tensor& table, const int64_t* words) {
  STD_TORCH_CHECK(
      (is_wire(words) || is_filter(words)) && words[kTaps] == table.size(1) && words[kRows] == table.size(0), op,
      ": state does not belong to a table of ", table.size(0), " by ", table.size(1),
      "; make both for the same rates and quality");
  return {words[kUp], words[kDown], static_cast<std::size_t>(words[kHalfTaps]), static_cast<std::size_t>(words[kTaps]),
          static_cast<std::size_t>(words[kRows])};
}

void check_cursor(const char* op, const ResamplerPlan& plan, const ResamplerCursor& cursor, int64_t history_frames) {
  const auto least = static_cast<int64_t>(plan.taps + plan.padding());
  STD_TORCH_CHECK(history_frames >= least, op, ": history must have at least ", least, " frames, got ", history_frames);
  STD_TORCH_CHECK(cursor.is_sane(plan, history_frames), op,
                  ": state holds numbers that no resampler can have; make it afresh");
}

}  // namespace

dsp::ResamplerQuality checked_quality(const char* op, const std::string& quality) {
  if (quality == "low_latency") return dsp::ResamplerQuality::kLowLatency;
  if (quality == "high") return dsp::ResamplerQuality::kHigh;
  STD_TORCH_CHECK(quality == "standard", op, ": quality must be low_latency, standard or high, got ", quality);
  return dsp::ResamplerQuality::kStandard;
}

ResamplerPlan checked_plan(const char* op, int64_t from_hz, int64_t to_hz, dsp::ResamplerQuality quality) {
  try {
    return dsp::plan_resampler(from_hz, to_hz, quality);
  } catch (const std::invalid_argument& error) {
    STD_TORCH_CHECK(false, op, ": ", error.what());
  }
}

NewResampler new_resampler(const ResamplerPlan& plan, dsp::ResamplerQuality quality, std::size_t channels) {
  const bool is_high = quality == dsp::ResamplerQuality::kHigh;
  const auto frames = static_cast<int64_t>(is_high ? dsp::ResamplerView<double>::history_frames(plan)
                                                   : dsp::ResamplerView<float>::history_frames(plan));
  const std::array history_sizes{static_cast<int64_t>(channels), frames};
  const std::array table_sizes{static_cast<int64_t>(plan.rows), static_cast<int64_t>(plan.taps)};
  const std::vector<double> coefficients = dsp::design_resampler(plan, quality);
  const ScalarType dtype = is_high ? ScalarType::Double : ScalarType::Float;
  NewResampler made{new_tensor(table_sizes, dtype), new_tensor(history_sizes, dtype),
                    new_tensor(std::array<int64_t, 1>{kEnd}, ScalarType::Long)};
  const auto fill = [&](auto* table, auto* history) {
    using Real = std::remove_pointer_t<decltype(table)>;
    std::ranges::transform(coefficients, table, [](double value) { return static_cast<Real>(value); });
    std::fill_n(history, history_sizes[0] * frames, Real(0));
  };
  if (is_high) {
    fill(made.table.mutable_data_ptr<double>(), made.history.mutable_data_ptr<double>());
  } else {
    fill(made.table.mutable_data_ptr<float>(), made.history.mutable_data_ptr<float>());
  }
  const ResamplerCursor cursor = ResamplerCursor::at_start(plan, plan.down - 1);
  const std::array<int64_t, kEnd> words{plan.up,
                                        plan.down,
                                        static_cast<int64_t>(plan.half_taps),
                                        static_cast<int64_t>(plan.taps),
                                        static_cast<int64_t>(plan.rows),
                                        cursor.position,
                                        cursor.filled,
                                        cursor.row};
  std::ranges::copy(words, made.state.mutable_data_ptr<int64_t>());
  return made;
}

template <typename Real>
dsp::ResamplerView<Real> resampler_in(const char* op, const Tensor& table, const Tensor& history, const Tensor& state) {
  check_tensor(op, "table", table, 2, kDtype<Real>);
  check_memory(op, "table", table, alignof(Real));
  check_tensor(op, "history", history, 2, kDtype<Real>);
  check_memory(op, "history", history, alignof(Real));
  STD_TORCH_CHECK(history.size(0) > 0, op, ": history must have at least one channel");
  check_tensor(op, "state", state, 1, ScalarType::Long);
  check_memory(op, "state", state, alignof(ResamplerCursor));
  STD_TORCH_CHECK(std::cmp_equal(state.size(0), kEnd), op, ": state must have shape (", kEnd, "), got (", state.size(0),
                  ")");

  auto* words = state.mutable_data_ptr<int64_t>();
  const ResamplerPlan plan = plan_in(op, table, words);
  auto& cursor = *reinterpret_cast<ResamplerCursor*>(words + kCursor);
  check_cursor(op, plan, cursor, history.size(1));
  const dsp::Planar<Real> frames{history.mutable_data_ptr<Real>(), static_cast<std::size_t>(history.size(0)),
                                 static_cast<std::size_t>(history.size(1)), history.size(1), 1};
  return {plan, table.const_data_ptr<Real>(), frames, cursor};
}

template dsp::ResamplerView<float> resampler_in<float>(const char*, const Tensor&, const Tensor&, const Tensor&);
template dsp::ResamplerView<double> resampler_in<double>(const char*, const Tensor&, const Tensor&, const Tensor&);

}  // namespace neutone::ops
