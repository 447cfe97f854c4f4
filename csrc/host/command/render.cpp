#include <algorithm>
#include <chrono>
#include <cmath>
#include <iomanip>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <thread>

#include "host/command/audio_file.h"
#include "host/command/commands.h"
#include "host/command/playing.h"

namespace neutone::host {
namespace {

using engine::Engine;
using engine::LatencyMode;

Clip with_channels(const Clip& clip, std::size_t channels) {
  if (channels == 0 || channels == clip.channels) return clip;
  Clip changed(clip.sample_rate_hz, channels, clip.frames);
  const dsp::Planar<const float> in = clip.rows();
  const dsp::Planar<float> out = changed.rows();
  for (std::size_t i = 0; i < clip.frames; ++i) {
    if (channels == 1) {
      out.row(0)[i] = (in.row(0)[i] + in.row(1)[i]) / 2.0F;
    } else {
      out.row(0)[i] = out.row(1)[i] = in.row(0)[i];
    }
  }
  return changed;
}

// Silence before the clip was played in would be heard as its beginning: the block that the host sends, and what it
// gets back, lie in memory of their own.
class Host {
 public:
  Host(Engine& engine, const std::vector<float>& knobs, std::size_t channels, std::size_t frames)
      : engine_(engine), knobs_(knobs), in_(0, channels, frames), out_(0, channels, frames) {}

  // Plays the clip from `start` on, silence behind its end, and puts what comes out `latency` frames earlier.
  void play(const Clip& clip, std::size_t start, std::size_t latency, Clip& played) {
    const std::size_t n_in = std::min(in_.frames, clip.frames - std::min(clip.frames, start));
    std::ranges::fill(in_.samples, 0.0F);
    if (n_in > 0) dsp::copy_frames<float>(clip.rows().slice_frames(start, n_in), in_.rows().slice_frames(0, n_in));
    engine_.process(in_.rows(), as_params(knobs_), out_.rows());
    const std::size_t first = latency - std::min(latency, start);  // of this block, that belongs to the clip
    if (first >= out_.frames) return;
    const std::size_t at = start + first - latency;
    const std::size_t n_out = std::min(out_.frames - first, played.frames - std::min(played.frames, at));
    if (n_out > 0) {
      dsp::copy_frames<float>(out_.rows().slice_frames(first, n_out), played.rows().slice_frames(at, n_out));
    }
  }

 private:
  Engine& engine_;
  const std::vector<float>& knobs_;
  Clip in_;
  Clip out_;
};

void check_blocks(const Engine& engine, const Model& model) {
  if (engine.stats().failed_blocks > 0) throw std::runtime_error("the model failed: " + model.last_error());
}

Clip play(Engine& engine, const Model& model, const Clip& clip, const std::vector<float>& knobs,
          const RenderOptions& options) {
  const std::size_t latency = engine.latency_samples();
  Host host(engine, knobs, clip.channels, options.buffer_frames);
  Clip played(clip.sample_rate_hz, clip.channels, clip.frames);
  const std::chrono::duration<double> period(static_cast<double>(options.buffer_frames) /
                                             static_cast<double>(clip.sample_rate_hz));
  const auto begin = std::chrono::steady_clock::now();
  std::size_t n_callbacks = 0;
  for (std::size_t start = 0; start < clip.frames + latency; start += options.buffer_frames, ++n_callbacks) {
    host.play(clip, start, latency, played);
    check_blocks(engine, model);
    if (options.mode != LatencyMode::kBlocking) {  // the worker has the time that it has in real time
      const auto due = static_cast<double>(n_callbacks + 1) * period;
      std::this_thread::sleep_until(begin + std::chrono::duration_cast<std::chrono::nanoseconds>(due));
    }
  }
  return played;
}

std::string level(const Clip& clip) {
  float peak = 0.0F;
  for (const float sample : clip.samples) peak = std::max(peak, std::abs(sample));
  if (peak == 0.0F) return "silence";
  std::ostringstream text;
  text << std::fixed << std::setprecision(1) << "peak " << 20.0F * std::log10(peak) << " dBFS";
  return text.str();
}

void print_summary(const RenderOptions& options, const Clip& played, const Engine& engine, const Model& model) {
  const std::size_t latency = engine.latency_samples();
  const auto rate_hz = static_cast<double>(played.sample_rate_hz);
  const engine::ModelFormat& format = model.format();
  std::cout << options.target.string() << ": " << std::fixed << std::setprecision(2)
            << static_cast<double>(played.frames) / rate_hz << " s, " << (played.channels == 1 ? "mono" : "stereo")
            << ", " << played.sample_rate_hz << " Hz, " << level(played) << "\n"
            << "model: " << format.sample_rate_hz << " Hz, blocks of " << format.block_frames << " samples\n"
            << "latency taken out: " << latency << " samples (" << std::setprecision(1)
            << 1e3 * static_cast<double>(latency) / rate_hz << " ms)\n";
  const engine::Stats stats = engine.stats();
  if (stats.muted_blocks > 0) {
    std::cout << "warning: the model returned numbers that are not finite in " << stats.muted_blocks << " of "
              << stats.blocks << " blocks; they are silence\n";
  }
  if (stats.missing_samples > 0) {
    std::cout << "warning: the model was too slow in " << stats.late_blocks << " of " << stats.blocks << " blocks; "
              << stats.missing_samples << " samples are silence. Use --mode blocking, which waits\n";
  }
}

}  // namespace

void render(const RenderOptions& options) {
  Clip clip = with_channels(read_clip(options.source), options.channels);
  if (options.sample_rate_hz > 0) clip = resampled(clip, options.sample_rate_hz);
  const auto model = std::make_shared<Model>(options.model);
  const std::vector<float> knobs = knob_positions(model->metadata(), options.params);
  Engine engine(std::make_shared<engine::WorkerPool>(1, engine::WorkerPriority::kOrdinary));
  engine.set_model(model);
  engine.prepare({.sample_rate_hz = clip.sample_rate_hz,
                  .max_block_frames = options.buffer_frames,
                  .in_channels = clip.channels,
                  .out_channels = clip.channels,
                  .has_constant_blocks = true},
                 {.latency_mode = options.mode});
  const Clip played = play(engine, *model, clip, knobs, options);
  write_clip(played, options.target);
  print_summary(options, played, engine, *model);
}

}  // namespace neutone::host
