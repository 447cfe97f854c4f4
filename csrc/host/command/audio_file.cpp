#include "host/command/audio_file.h"

#include <sndfile.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "dsp/aligned_buffer.h"
#include "dsp/resampler.h"

namespace neutone::host {
namespace {

namespace fs = std::filesystem;

using SoundFile = std::unique_ptr<SNDFILE, decltype(&sf_close)>;

[[noreturn]] void refuse(const fs::path& file, const std::string& what) {
  throw std::runtime_error(file.string() + ": " + what);
}

SoundFile open_sound(const fs::path& file, int mode, SF_INFO& info) {
  SoundFile sound(sf_open(file.c_str(), mode, &info), &sf_close);
  if (!sound) refuse(file, sf_strerror(nullptr));
  return sound;
}

}  // namespace

Clip read_clip(const fs::path& file) {
  SF_INFO info{};
  const SoundFile sound = open_sound(file, SFM_READ, info);
  if (info.channels > 2) refuse(file, "has " + std::to_string(info.channels) + " channels; one or two can be played");
  if (info.frames < 1) refuse(file, "holds no audio");
  const auto channels = static_cast<std::size_t>(info.channels);
  std::vector<float> frames(static_cast<std::size_t>(info.frames) * channels);
  const sf_count_t n_read = sf_readf_float(sound.get(), frames.data(), info.frames);
  if (n_read != info.frames) refuse(file, "ends before what it announces; its audio would be cut");
  Clip clip(info.samplerate, channels, static_cast<std::size_t>(n_read));
  dsp::copy_frames<float>({frames.data(), channels, clip.frames, 1, info.channels}, clip.rows());
  return clip;
}

void write_clip(const Clip& clip, const fs::path& file) {
  SF_INFO info{};
  info.samplerate = static_cast<int>(clip.sample_rate_hz);
  info.channels = static_cast<int>(clip.channels);
  info.format = SF_FORMAT_WAV | SF_FORMAT_FLOAT;
  std::vector<float> frames(clip.samples.size());
  dsp::copy_frames<float>(clip.rows(), {frames.data(), clip.channels, clip.frames, 1, info.channels});
  const fs::path part = file.string() + ".part";
  {
    const SoundFile sound = open_sound(part, SFM_WRITE, info);
    sf_command(sound.get(), SFC_SET_ADD_PEAK_CHUNK, nullptr, SF_FALSE);  // it holds the time of day
    const auto n_frames = static_cast<sf_count_t>(clip.frames);
    if (sf_writef_float(sound.get(), frames.data(), n_frames) != n_frames) refuse(part, sf_strerror(sound.get()));
  }
  fs::rename(part, file);
}

Clip resampled(const Clip& clip, std::int64_t sample_rate_hz) {
  if (clip.sample_rate_hz == sample_rate_hz) return clip;
  constexpr auto kQuality = dsp::ResamplerQuality::kHigh;
  const dsp::ResamplerPlan plan = dsp::plan_resampler(clip.sample_rate_hz, sample_rate_hz, kQuality);
  const std::vector<double> table = dsp::design_resampler(plan, kQuality);
  const std::size_t history_frames = dsp::ResamplerView<double>::history_frames(plan);
  std::vector<double> history(clip.channels * history_frames);
  dsp::ResamplerCursor cursor;
  dsp::ResamplerView<double> resampler(
      plan, table.data(),
      {history.data(), clip.channels, history_frames, static_cast<std::ptrdiff_t>(history_frames), 1}, cursor);
  resampler.start(static_cast<std::int64_t>(plan.half_taps) * plan.up - 1);

  const auto n_out = (static_cast<std::int64_t>(clip.frames) * plan.up + plan.down - 1) / plan.down;
  Clip out(sample_rate_hz, clip.channels, static_cast<std::size_t>(n_out));
  const auto moved = resampler.process(clip.rows(), out.rows());
  // The last samples of output look so far past the end of the input.
  const Clip silence(clip.sample_rate_hz, clip.channels, plan.half_taps);
  resampler.process(silence.rows(), out.rows().slice_frames(moved.produced, out.frames - moved.produced));
  return out;
}

}  // namespace neutone::host
