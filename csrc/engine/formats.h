#pragma once

#include <cstddef>
#include <cstdint>

#include "engine.h"
#include "model.h"

// What a host and a model bring together: whether it makes sense, and the arithmetic of how late it is.
namespace neutone::engine {

// Each throws std::invalid_argument that says what is wrong. [allocates]
void check_format(const HostFormat& host);
void check_format(const ModelFormat& model);
void check_settings(const EngineSettings& settings);

// How a model's output comes to lie among a host's samples. See dsp/schedule.h.
struct Timing {
  std::int64_t latency = 0;     // samples of the host
  std::int64_t first_step = 0;  // where the resampler to the host starts
  std::size_t n_silent = 0;     // frames of silence before the model's first
  std::size_t n_slots = 0;      // for blocks, so that there is always one to fill while the worker is in time

  // Resamplers of so many taps on either side; 1 at equal rates, where there are none.
  Timing(const HostFormat& host, const ModelFormat& model, LatencyMode mode, std::size_t half_taps_in,
         std::size_t half_taps_out) noexcept;
};

}  // namespace neutone::engine
