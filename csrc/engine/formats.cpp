#include "formats.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "../dsp/resampler_design.h"
#include "../dsp/schedule.h"

namespace neutone::engine {

namespace {

constexpr std::int64_t kMaxFrames = 67'108'864;  // 23 minutes at 48 kHz: blocks and delays end somewhere

void check_range(const char* what, std::int64_t value, std::int64_t least, std::int64_t most) {
  if (value >= least && value <= most) return;
  throw std::invalid_argument(std::string(what) + " must be in " + std::to_string(least) + ".." + std::to_string(most) +
                              ", got " + std::to_string(value));
}

void check_range(const char* what, std::size_t value, std::int64_t least, std::int64_t most) {
  check_range(what, static_cast<std::int64_t>(std::min<std::size_t>(value, 2 * kMaxFrames)), least, most);
}

// Steps for which a block's audio and its result wait, besides delays of model and resamplers.
std::int64_t waiting_steps(const HostFormat& host, const ModelFormat& model, LatencyMode mode,
                           const dsp::RateRatio& ratio) noexcept {
  const auto host_block = static_cast<std::int64_t>(host.max_block_frames);
  const auto model_block = static_cast<std::int64_t>(model.block_frames);
  const std::int64_t until_full = buffering_steps(host.has_constant_blocks ? host_block : 1, model_block, ratio);
  if (mode == LatencyMode::kBlocking) return until_full;
  const std::int64_t until_next_callback = until_full + host_block * ratio.up;
  if (mode == LatencyMode::kOneBlock) return until_next_callback;
  return std::max(2 * model_block * ratio.down, until_next_callback);
}

}  // namespace

void check_format(const HostFormat& host) {
  check_range("a host's sample rate in Hz", host.sample_rate_hz, 1, dsp::kMaxRateHz);
  check_range("a host's largest block in frames", host.max_block_frames, 1, kMaxFrames);
  check_range("a host's input channels", host.in_channels, 1, 2);
  check_range("a host's output channels", host.out_channels, 1, 2);
}

void check_format(const ModelFormat& model) {
  check_range("a model's sample rate in Hz", model.sample_rate_hz, 1, dsp::kMaxRateHz);
  check_range("a model's block in frames", model.block_frames, 1, kMaxFrames);
  check_range("a model's input channels", model.in_channels, 1, 2);
  check_range("a model's output channels", model.out_channels, 1, 2);
  check_range("a model's delay in frames", model.delay_frames, 0, kMaxFrames);
  if (model.are_categorical.size() != model.default_params.size()) {
    throw std::invalid_argument("are_categorical must have one entry for each of the " +
                                std::to_string(model.default_params.size()) + " parameters, got " +
                                std::to_string(model.are_categorical.size()));
  }
  for (const float value : model.default_params) {
    if (value >= 0.0F && value <= 1.0F) continue;
    throw std::invalid_argument("default_params must be in 0..1, got " + std::to_string(value));
  }
}

void check_settings(const EngineSettings& settings) {
  if (settings.latency_mode > LatencyMode::kBlocking) throw std::invalid_argument("latency_mode is none of the modes");
  if (settings.late_output > LateOutput::kDry) throw std::invalid_argument("late_output is none of the choices");
}

Timing::Timing(const HostFormat& host, const ModelFormat& model, LatencyMode mode, std::size_t half_taps_in,
               std::size_t half_taps_out) noexcept {
  const auto ratio = dsp::RateRatio::of(host.sample_rate_hz, model.sample_rate_hz);
  const std::int64_t resampling =
      resampling_steps(ratio, static_cast<std::int64_t>(half_taps_in), static_cast<std::int64_t>(half_taps_out));
  const std::int64_t waiting = waiting_steps(host, model, mode, ratio);
  latency = dsp::ceil_div(resampling + model.delay_frames * ratio.down + waiting, ratio.up);
  first_step = first_output_step(latency, ratio, resampling, model.delay_frames);
  n_silent = static_cast<std::size_t>(n_silent_frames(first_step, ratio));
  // From the model's oldest frame that the host has not heard yet, to the newest, within a callback. They may begin and
  // end anywhere in their blocks; and one block more may be that which a worker runs when its stream ends.
  const std::int64_t in_flight = (static_cast<std::int64_t>(host.max_block_frames) + 1) * ratio.up - first_step;
  n_slots = static_cast<std::size_t>(
      dsp::ceil_div(dsp::ceil_div(in_flight, ratio.down) + 1, static_cast<std::int64_t>(model.block_frames)) + 2);
}

}  // namespace neutone::engine
