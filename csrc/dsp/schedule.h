#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>

// Buffering arithmetic between a host's blocks and a model's, the twin of neutone_sdk/streaming/schedule.py: all in
// whole steps of 1/up of a host's sample, in which a sample of the host is `up` steps long and one of the model `down`.
// docs/latency.md derives it.
namespace neutone::dsp {

// A model's rate over a host's, reduced.
struct RateRatio {
  std::int64_t up = 1;
  std::int64_t down = 1;

  [[nodiscard]] static constexpr RateRatio of(std::int64_t host_hz, std::int64_t model_hz) noexcept {
    const std::int64_t divisor = std::gcd(host_hz, model_hz);
    return {model_hz / divisor, host_hz / divisor};
  }
};

// `count / size`, rounded up, of counts that are not negative.
[[nodiscard]] constexpr std::int64_t ceil_div(std::int64_t count, std::int64_t size) noexcept {
  return (count + size - 1) / size;
}

// The least delay, in steps, of blocks of `host_block` samples, or of 1 for blocks of any size.
[[nodiscard]] constexpr std::int64_t buffering_steps(std::int64_t host_block, std::int64_t model_block,
                                                     const RateRatio& ratio) noexcept {
  return model_block * ratio.down - std::gcd(host_block * ratio.up, model_block * ratio.down);
}

// The least delay, in steps, of two resamplers: the one to the model looks `half_taps_in` of the host's samples ahead,
// the one back `half_taps_out` of the model's.
[[nodiscard]] constexpr std::int64_t resampling_steps(const RateRatio& ratio, std::int64_t half_taps_in,
                                                      std::int64_t half_taps_out) noexcept {
  return (half_taps_in - 1) * ratio.up + (half_taps_out - 1) * ratio.down;
}

// Where the resampler to the host starts so that all delays together are `total_delay` of the host's samples: the last
// frame of the model's that the first output takes, in steps of 1/down of such a frame. If it is negative, silence
// takes the place of the frames that it lacks.
[[nodiscard]] constexpr std::int64_t first_output_step(std::int64_t total_delay, const RateRatio& ratio,
                                                       std::int64_t resampling, std::int64_t model_delay) noexcept {
  return resampling + model_delay * ratio.down + ratio.up - 1 - total_delay * ratio.up;
}

// How many silent frames stand before the model's first, so that there is something to take at `first_step`.
[[nodiscard]] constexpr std::int64_t n_silent_frames(std::int64_t first_step, const RateRatio& ratio) noexcept {
  return first_step >= 0 ? 0 : ceil_div(-first_step, ratio.down);
}

}  // namespace neutone::dsp
