#include "model_runner.h"

#include <atomic>
#include <chrono>
#include <cstdint>

#include "../dsp/flush_to_zero.h"
#include "finite.h"

namespace neutone::engine {

void ModelRunner::run(const Block& block) noexcept {
  const dsp::ScopedFlushToZero flush;
  if (block.stream != stream_) {
    stream_ = block.stream;
    needs_reset_ = true;
    has_failed_ = false;
  }
  if (is_given_up_ || has_failed_ || !try_run(block)) {
    silence(block.out);
    return;
  }
  if (are_finite(block.out)) return;
  silence(block.out);
  counters_.muted_blocks.fetch_add(1, std::memory_order_relaxed);
  needs_reset_ = true;  // what is not a number stays in a state for ever
}

bool ModelRunner::try_run(const Block& block) noexcept {
  mute_non_finite(block.audio);
  const auto start = std::chrono::steady_clock::now();
  try {
    if (needs_reset_) model_.reset();
    needs_reset_ = false;
    model_.process(block.audio, block.params, block.out);
  } catch (...) {  // whatever it is, it ends here: this thread is not the model's
    has_failed_ = true;
    counters_.failed_blocks.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  const std::chrono::nanoseconds duration = std::chrono::steady_clock::now() - start;
  counters_.add_time(static_cast<std::uint64_t>(duration.count()));
  return true;
}

}  // namespace neutone::engine
