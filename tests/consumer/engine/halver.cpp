// Plays a model in C++ that halves what it gets, exits with 0 if all is as it should be, and prints the latency.
#include <neutone/dsp/resampler.h>
#include <neutone/engine/engine.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <iostream>
#include <memory>

#include "dsp/planar.h"

#ifndef STRANGERS_PLANAR
#error "this project's own dsp/planar.h has to come first for its own files"
#endif

namespace {

constexpr std::size_t kFrames = 64;

class Halver final : public neutone::engine::Model {
 public:
  neutone::engine::ModelFormat configure(const neutone::engine::HostFormat& host) override {
    neutone::engine::ModelFormat format;
    format.sample_rate_hz = host.sample_rate_hz;
    format.block_frames = kFrames;
    return format;
  }
  void process(const neutone::dsp::Planar<const float>& audio, const neutone::dsp::Planar<const float>& /*params*/,
               const neutone::dsp::Planar<float>& out) override {
    for (std::size_t channel = 0; channel < audio.channels; ++channel) {
      for (std::size_t i = 0; i < kFrames; ++i) out.row(channel)[i] = 0.5F * audio.row(channel)[i];
    }
  }
  void reset() override {}
};

}  // namespace

int main() {
  neutone::engine::Engine engine(std::make_shared<neutone::engine::WorkerPool>());
  engine.set_model(std::make_shared<Halver>());
  engine.prepare({.sample_rate_hz = 48'000, .max_block_frames = kFrames},
                 {.latency_mode = neutone::engine::LatencyMode::kBlocking});
  std::array<float, 2 * kFrames> block{};
  bool is_right = true;
  for (std::size_t start = 0; start < 20 * kFrames; start += kFrames) {
    std::ranges::fill(block, 1.0F);
    engine.process({block.data(), 2, kFrames, kFrames, 1}, {}, {block.data(), 2, kFrames, kFrames, 1});
    for (std::size_t i = 0; i < kFrames; ++i) {
      is_right = is_right && block[i] == (start + i < engine.latency_samples() ? 0.0F : 0.5F);
    }
  }
  std::cout << "latency " << engine.latency_samples() << "\n";
  return is_right ? 0 : 1;
}
