// A tiny host: plays a second of a sine through a model, and writes what comes out as raw float32, left and right in
// turn. With LIBRARY, it wants the operators from there too, once the model has loaded them from beside the program.
#include <neutone/engine/engine.h>
#include <neutone/host/model.h>
#include <neutone/host/operators.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <exception>
#include <fstream>
#include <iostream>
#include <memory>
#include <numbers>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

constexpr std::size_t kRateHz = 48'000;
constexpr std::size_t kFrames = 480;

float sine(std::size_t frame) {
  constexpr double kRadiansPerFrame = 2.0 * std::numbers::pi * 440.0 / kRateHz;
  return static_cast<float>(0.5 * std::sin(kRadiansPerFrame * static_cast<double>(frame)));
}

void play(neutone::engine::Engine& engine, const std::vector<float>& knobs, std::ofstream& out) {
  std::array<float, 2 * kFrames> block{};  // (frames, 2)
  for (std::size_t start = 0; start < kRateHz; start += kFrames) {
    for (std::size_t i = 0; i < kFrames; ++i) block[2 * i] = block[2 * i + 1] = sine(start + i);
    engine.process({block.data(), 2, kFrames, 1, 2}, {knobs.data(), knobs.size(), 1, 1, 1},
                   {block.data(), 2, kFrames, 1, 2});
    for (const float sample : block) {
      if (!std::isfinite(sample)) throw std::runtime_error("a sample is not finite");
    }
    out.write(reinterpret_cast<const char*>(block.data()), sizeof block);
  }
}

}  // namespace

int main(int argc, const char* const* argv) try {
  if (argc != 4 && argc != 5) throw std::invalid_argument("usage: player FILE.nm KNOB_POSITION OUT [LIBRARY]");

  const auto model = std::make_shared<neutone::host::Model>(argv[1]);
  if (argc == 5) neutone::host::load_operators(argv[4]);
  const std::vector<float> knobs(model->metadata().knobs.size(), std::stof(argv[2]));
  neutone::engine::Engine engine(std::make_shared<neutone::engine::WorkerPool>());
  engine.set_model(model);
  engine.prepare({.sample_rate_hz = kRateHz, .max_block_frames = kFrames},
                 {.latency_mode = neutone::engine::LatencyMode::kBlocking});
  std::ofstream out(argv[3], std::ios::binary);
  play(engine, knobs, out);

  const auto stats = engine.stats();
  if (stats.missing_samples != 0 || stats.failed_blocks != 0) throw std::runtime_error(model->last_error());
  if (!out.flush()) throw std::runtime_error("cannot write " + std::string(argv[3]));
  std::cout << "latency " << engine.latency_samples() << "\n";
  return 0;
} catch (const std::exception& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
