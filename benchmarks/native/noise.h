#pragma once

#include <cstddef>
#include <cstdint>

namespace neutone::bench {

// The same numbers in each run, evenly spread over 0..1.
class Noise {
 public:
  explicit Noise(std::uint32_t seed) noexcept : state_(seed) {}
  float next() noexcept {
    state_ = state_ * 1664525U + 1013904223U;
    return static_cast<float>(state_) / 4294967296.0F;
  }

 private:
  std::uint32_t state_;
};

}  // namespace neutone::bench
