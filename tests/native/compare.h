#pragma once

#include <cmath>
#include <cstddef>

#include "buffer.h"
#include "dsp/planar.h"

// Audio beside audio of the same shape.
namespace neutone::test {

// Frames of which any channel differs, as NaN does from everything.
[[nodiscard]] inline std::size_t n_different(const dsp::Planar<const float>& actual,
                                             const dsp::Planar<const float>& expected) {
  std::size_t count = 0;
  for (std::size_t frame = 0; frame < actual.frames; ++frame) {
    bool is_equal = true;
    for (std::size_t channel = 0; channel < actual.channels; ++channel) {
      is_equal = is_equal && at(actual, channel, frame) == at(expected, channel, frame);
    }
    count += is_equal ? 0U : 1U;
  }
  return count;
}

// With NaN in the same places, too.
[[nodiscard]] inline bool is_same(const dsp::Planar<const float>& actual, const dsp::Planar<const float>& expected) {
  for (std::size_t channel = 0; channel < actual.channels; ++channel) {
    for (std::size_t frame = 0; frame < actual.frames; ++frame) {
      const float a = at(actual, channel, frame);
      const float b = at(expected, channel, frame);
      if (a != b && !(std::isnan(a) && std::isnan(b))) return false;
    }
  }
  return true;
}

}  // namespace neutone::test
