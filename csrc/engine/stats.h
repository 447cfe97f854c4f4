#pragma once

#include <cstdint>

namespace neutone::engine {

// What an engine has counted since it was prepared.
struct Stats {
  std::uint64_t callbacks = 0;
  std::uint64_t blocks = 0;             // of the model, full
  std::uint64_t late_blocks = 0;        // of those, not finished when the first of their samples was due
  std::uint64_t missing_samples = 0;    // host frames that were not the model's output alone, for that reason
  std::uint64_t refused_callbacks = 0;  // before prepare, or larger than the host promised
  std::uint64_t failed_blocks = 0;      // the model threw
  std::uint64_t muted_blocks = 0;       // the model returned numbers that are not finite
  // Microseconds that the worker took for a block, over the latest thousand; 0 before the first.
  double worker_p50_us = 0.0;
  double worker_p99_us = 0.0;
  double worker_max_us = 0.0;  // of all
};

}  // namespace neutone::engine
