#pragma once

#include <cstdint>

#include "block_slots.h"
#include "counters.h"
#include "model.h"

namespace neutone::engine {

// Runs a model on blocks, and sees to it that whatever it does, what comes out is sound. [worker]
class ModelRunner {
 public:
  // Both outlive this.
  ModelRunner(Model& model, Counters& counters) : model_(model), counters_(counters) {}

  // Fills `block.out`. After a model has thrown, with silence until the next stream begins.
  void run(const Block& block) noexcept;
  // From now on with silence, whatever happens.
  void give_up() noexcept { is_given_up_ = true; }

 private:
  // Whether there is output; false if the model has failed.
  [[nodiscard]] bool try_run(const Block& block) noexcept;

  Model& model_;
  Counters& counters_;
  std::uint64_t stream_ = 0;
  bool has_failed_ = false;
  bool needs_reset_ = false;
  bool is_given_up_ = false;
};

}  // namespace neutone::engine
