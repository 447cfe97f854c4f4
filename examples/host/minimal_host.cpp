// The shortest host: opens a model, plays a second of a sine through it, and says how loud that is.
#include <neutone/engine/engine.h>
#include <neutone/host/model.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <exception>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <vector>

int main(int argc, const char* const* argv) try {
  constexpr std::size_t kFrames = 512;
  if (argc != 2) throw std::invalid_argument("usage: minimal_host FILE.nm");

  // On the control thread: what allocates, and what may fail.
  const auto model = std::make_shared<neutone::host::Model>(argv[1]);
  std::vector<float> knobs;
  for (const auto& knob : model->metadata().knobs) knobs.push_back(knob.default_position());
  neutone::engine::Engine engine(std::make_shared<neutone::engine::WorkerPool>());
  engine.set_model(model);
  // A plugin leaves out the mode: kBlocking waits for the model, as an offline render does.
  engine.prepare({.sample_rate_hz = 48'000, .max_block_frames = kFrames},
                 {.latency_mode = neutone::engine::LatencyMode::kBlocking});

  // On the audio thread: channels lie one behind the other; in and out may be the same memory.
  std::array<float, 2 * kFrames> samples{};
  float peak = 0.0F;
  for (std::size_t start = 0; start < 48'000; start += kFrames) {
    for (std::size_t i = 0; i < kFrames; ++i) {
      samples[i] = samples[kFrames + i] = 0.5F * std::sin(0.05F * static_cast<float>(start + i));
    }
    engine.process({samples.data(), 2, kFrames, kFrames, 1}, {knobs.data(), knobs.size(), 1, 1, 1},
                   {samples.data(), 2, kFrames, kFrames, 1});
    for (const float sample : samples) peak = std::max(peak, std::abs(sample));
  }
  std::cout << model->metadata().name << ": peak " << peak << ", latency " << engine.latency_samples() << " samples\n";
  return 0;
} catch (const std::exception& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
