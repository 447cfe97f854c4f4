#pragma once

#include <cstddef>
#include <cstdint>
#include <random>

#include "buffer.h"
#include "check.h"

// What tests play.
namespace neutone::test {

// With what `draw` gives, one channel after the other.
template <typename Draw>
void fill(const Buffer& buffer, const Draw& draw) {
  const dsp::Planar<float> audio = buffer.planar();
  for (std::size_t channel = 0; channel < audio.channels; ++channel) {
    for (std::size_t frame = 0; frame < audio.frames; ++frame) at(audio, channel, frame) = draw();
  }
}

// White, in -1..1. The same for each layout.
[[nodiscard]] inline Buffer noise(std::size_t channels, std::size_t frames, std::uint64_t seed_value = seed(),
                                  Layout layout = Layout::kContiguous) {
  std::mt19937_64 random(seed_value);
  std::uniform_real_distribution<float> uniform(-1.0F, 1.0F);
  Buffer buffer(channels, frames, layout);
  fill(buffer, [&] { return uniform(random); });
  return buffer;
}

[[nodiscard]] inline Buffer constant(std::size_t channels, std::size_t frames, float value) {
  Buffer buffer(channels, frames);
  fill(buffer, [value] { return value; });
  return buffer;
}

// A 1 in every channel, in silence.
[[nodiscard]] inline Buffer impulse(std::size_t channels, std::size_t frames, std::size_t where = 0) {
  Buffer buffer = constant(channels, frames, 0.0F);
  for (std::size_t channel = 0; channel < channels; ++channel) at(buffer.planar(), channel, where) = 1.0F;
  return buffer;
}

}  // namespace neutone::test
