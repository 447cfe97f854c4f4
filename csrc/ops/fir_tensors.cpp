#include "ops/fir_tensors.h"

#include <algorithm>
#include <bit>
#include <stdexcept>
#include <utility>

namespace neutone::ops {
namespace {

using dsp::FirCursor;
using dsp::FirPlan;

// Which word of `state` holds what. The cursor lies there as it is.
constexpr std::size_t kTaps = 0;
constexpr std::size_t kBlock = 1;
constexpr std::size_t kCursor = 2;
constexpr std::size_t kEnd = 8;
static_assert(sizeof(FirCursor) == (kEnd - kCursor) * sizeof(int64_t));

bool is_below(int64_t value, std::size_t end) { return value >= 0 && std::cmp_less(value, end); }

// Of any block that a filter can have, not only the one that is fastest here: it may have been made elsewhere.
FirPlan plan_in(const char* op, const int64_t* words) {
  const int64_t taps = words[kTaps];
  const int64_t block = words[kBlock];
  const bool is_partitioned = std::cmp_greater_equal(block, dsp::kMinFftBins) && block < taps &&
                              std::has_single_bit(static_cast<std::uint64_t>(block));
  STD_TORCH_CHECK(taps >= 1 && std::cmp_less_equal(taps, dsp::kMaxFirTaps) && (block == 0 || is_partitioned), op,
                  ": state holds numbers that no FIR filter can have; make it afresh");
  return {static_cast<std::size_t>(taps), static_cast<std::size_t>(block)};
}

void check_cursor(const char* op, const FirPlan& plan, const FirCursor& cursor) {
  const bool has_history = std::cmp_greater_equal(cursor.filled, plan.kept_frames()) &&
                           std::cmp_less_equal(cursor.filled, plan.history_frames());
  const bool is_in_block = is_below(cursor.frame, std::max(plan.block, std::size_t{1})) &&
                           is_below(cursor.newest, std::max(plan.partitions(), std::size_t{1}));
  const bool is_in_fade = cursor.faded >= 0 && cursor.faded <= cursor.fade && cursor.fade <= kMaxFadeFrames;
  STD_TORCH_CHECK(has_history && is_in_block && is_in_fade && is_below(cursor.bank, 2), op,
                  ": state holds numbers that no FIR filter can have; make it afresh");
}

dsp::Planar<float> memory_in(const Tensor& history) {
  return {history.mutable_data_ptr<float>(), static_cast<std::size_t>(history.size(0)),
          static_cast<std::size_t>(history.size(1)), history.size(1), 1};
}

}  // namespace

std::span<const double> checked_taps(const char* op, const Tensor& taps) {
  check_tensor(op, "taps", taps, 1, ScalarType::Double);
  check_memory(op, "taps", taps, alignof(double));
  const std::span<const double> values(taps.const_data_ptr<double>(), static_cast<std::size_t>(taps.size(0)));
  try {
    dsp::check_fir_taps(values);
  } catch (const std::invalid_argument& error) {
    STD_TORCH_CHECK(false, op, ": ", error.what());
  }
  return values;
}

NewFir new_fir(std::span<const double> taps, std::size_t channels) {
  const FirPlan plan = dsp::plan_fir(taps.size());
  const std::array table_sizes{static_cast<int64_t>(plan.table_size())};
  const std::array history_sizes{static_cast<int64_t>(channels), static_cast<int64_t>(plan.channel_size())};
  NewFir made{new_tensor(table_sizes, ScalarType::Float), new_tensor(history_sizes, ScalarType::Float),
              new_tensor(std::array<int64_t, 1>{kEnd}, ScalarType::Long)};
  auto* table = made.table.mutable_data_ptr<float>();
  std::fill_n(table, plan.table_size(), 0.0F);
  const dsp::Planar<float> memory = memory_in(made.history);
  std::fill_n(memory.data, channels * plan.channel_size(), 0.0F);
  dsp::write_fir_table(plan, taps, table, memory.slice_channels(0, 1));

  const FirCursor cursor = FirCursor::at_start(plan);
  const std::array<int64_t, kEnd> words{static_cast<int64_t>(plan.taps),
                                        static_cast<int64_t>(plan.block),
                                        cursor.filled,
                                        cursor.frame,
                                        cursor.newest,
                                        cursor.bank,
                                        cursor.faded,
                                        cursor.fade};
  std::ranges::copy(words, made.state.mutable_data_ptr<int64_t>());
  return made;
}

dsp::FirView fir_in(const char* op, const Tensor& table, const Tensor& history, const Tensor& state) {
  check_tensor(op, "table", table, 1, ScalarType::Float);
  check_memory(op, "table", table, alignof(float));
  check_tensor(op, "history", history, 2, ScalarType::Float);
  check_memory(op, "history", history, alignof(float));
  STD_TORCH_CHECK(history.size(0) > 0, op, ": history must have at least one channel");
  check_tensor(op, "state", state, 1, ScalarType::Long);
  check_memory(op, "state", state, alignof(FirCursor));
  STD_TORCH_CHECK(std::cmp_equal(state.size(0), kEnd), op, ": state must have shape (", kEnd, "), got (", state.size(0),
                  ")");

  auto* words = state.mutable_data_ptr<int64_t>();
  const FirPlan plan = plan_in(op, words);
  STD_TORCH_CHECK(std::cmp_equal(table.size(0), plan.table_size()), op, ": table must have shape (", plan.table_size(),
                  ") for the ", plan.taps, " taps of state, got (", table.size(0), ")");
  STD_TORCH_CHECK(std::cmp_equal(history.size(1), plan.channel_size()), op, ": history must have ", plan.channel_size(),
                  " columns for the ", plan.taps, " taps of state, got ", history.size(1));
  // What is written while the cursor counts must not be the cursor.
  const Memory words_memory{"state", words, words + kEnd};
  check_apart(op, words_memory, {"table", table.const_data_ptr(), table.const_data_ptr<float>() + plan.table_size()});
  check_apart(op, words_memory, memory_of("history", memory_in(history)));
  auto& cursor = *reinterpret_cast<FirCursor*>(words + kCursor);
  check_cursor(op, plan, cursor);
  return {plan, table.const_data_ptr<float>(), memory_in(history), cursor};
}

}  // namespace neutone::ops
