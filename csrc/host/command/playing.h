#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dsp/planar.h"
#include "engine/engine.h"
#include "host/model.h"

namespace neutone::host {

// Positions 0..1 of a model's knobs: their defaults, but for `settings`, each NAME=VALUE in the knob's own unit, or one
// of its labels. Throws std::invalid_argument if there is no such knob, or the value is not in its range. [allocates]
[[nodiscard]] std::vector<float> knob_positions(const Metadata& metadata, const std::vector<std::string>& settings);

// Positions as an engine takes them: one value for the whole callback.
[[nodiscard]] inline dsp::Planar<const float> as_params(const std::vector<float>& positions) {
  return {positions.data(), positions.size(), 1, 1, 1};
}

}  // namespace neutone::host
