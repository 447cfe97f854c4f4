#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "../dsp/planar.h"

namespace neutone::engine {

// What a host brings. Its blocks may have any number of frames up to the largest, another one in every callback.
struct HostFormat {
  std::int64_t sample_rate_hz = 48'000;
  std::size_t max_block_frames = 512;
  std::size_t in_channels = 2;   // 1 or 2
  std::size_t out_channels = 2;  // 1 or 2
  // Every block has exactly max_block_frames: less has to wait, so the latency is lower. Should the host break that
  // promise, as with a short block at the end of a bounce, samples may be missing, and are counted; nothing worse.
  bool has_constant_blocks = false;
};

// What a model works on: one rate, one block size.
struct ModelFormat {
  std::int64_t sample_rate_hz = 48'000;
  std::size_t block_frames = 2048;
  std::size_t in_channels = 2;        // 1 or 2
  std::size_t out_channels = 2;       // 1 or 2
  std::int64_t delay_frames = 0;      // by which its output is late, at its own rate
  std::vector<float> default_params;  // one for each parameter, 0..1
  std::vector<bool> are_categorical;  // as many; those step, the others go on straight lines
};

// A model as an engine plays it. One thread at a time; which one is said at each method.
class Model {
 public:
  virtual ~Model() = default;

  // Chooses what suits the host, gets ready for it, and forgets all audio. Throws if it cannot. [control, allocates]
  virtual ModelFormat configure(const HostFormat& host) = 0;
  // Runs one block: audio (in_channels, block_frames), params (parameters, block_frames) of 0..1, out (out_channels,
  // block_frames), all with a frame stride of 1. May throw: the block is then silence. [worker]
  virtual void process(const dsp::Planar<const float>& audio, const dsp::Planar<const float>& params,
                       const dsp::Planar<float>& out) = 0;
  // Forgets all audio. May throw. [worker]
  virtual void reset() = 0;
};

}  // namespace neutone::engine
