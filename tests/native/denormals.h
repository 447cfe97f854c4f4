#pragma once

#include <limits>

namespace neutone::test {

// Whether what this thread computes is zero where it would be denormal.
[[nodiscard]] inline bool flushes_to_zero() {
  volatile float half = std::numeric_limits<float>::min();
  half = half / 2.0F;
  return half == 0.0F;
}

}  // namespace neutone::test
