// Plays a model of torch's: torch_model_test MODEL.nm worker, on a worker while an audio thread is watched, or
// torch_model_test MODEL.nm audio_thread, where it must not be, and RealtimeSanitizer has to say so.
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <thread>

#include "audio_thread.h"
#include "buffer.h"
#include "check.h"
#include "dsp/realtime.h"
#include "engine/engine.h"
#include "host/model.h"

namespace {

using neutone::test::Buffer;
using neutone::test::check_safe;
using neutone::test::run_audio_thread;

constexpr std::size_t kBlock = 512;

void play_on_worker(const std::shared_ptr<neutone::host::Model>& model) {
  neutone::engine::Engine engine(std::make_shared<neutone::engine::WorkerPool>(1));
  engine.set_model(model);
  engine.prepare({.sample_rate_hz = 44'100, .max_block_frames = kBlock});
  const Buffer audio(2, kBlock);
  const auto callback = [&](std::size_t i) { engine.process(audio.first(i % kBlock), {}, audio.first(i % kBlock)); };
  check_safe(run_audio_thread(500, callback, [&] { return engine.stats().worker_max_us > 0.0; }));
  CHECK(engine.stats().failed_blocks == 0);
  CHECK(model->last_error() == "");
}

// Planted.
NEUTONE_EXEMPT_BEGIN
void run_block(neutone::host::Model& model, const Buffer& audio, const Buffer& params,
               const Buffer& out) noexcept NEUTONE_NONBLOCKING {
  model.process(audio.planar(), params.planar(), out.planar());
}
NEUTONE_EXEMPT_END

void play_on_audio_thread(neutone::host::Model& model) {
  const neutone::engine::ModelFormat format = model.configure({});
  const Buffer audio(format.in_channels, format.block_frames);
  const Buffer params(format.default_params.size(), format.block_frames);
  const Buffer out(format.out_channels, format.block_frames);
  std::thread([&] { run_block(model, audio, params, out); }).join();
}

}  // namespace

int main(int argc, char** argv) try {  // NOLINT(misc-const-correctness): as the language has it
  if (argc != 3) throw std::invalid_argument("usage: torch_model_test MODEL.nm worker|audio_thread");
  const auto model = std::make_shared<neutone::host::Model>(argv[1]);
  if (argv[2] == std::string_view("worker")) {
    play_on_worker(model);
  } else {
    play_on_audio_thread(*model);
  }
  std::cout << "nobody objects\n";
  return EXIT_SUCCESS;
} catch (const std::exception& error) {
  std::cerr << error.what() << "\n";
  return EXIT_FAILURE;
}
