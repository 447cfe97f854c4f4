#include "format.h"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "../dsp/resampler_design.h"
#include "../dsp/schedule.h"

namespace neutone::host {
namespace {

using dsp::ceil_div;
using dsp::RateRatio;
using dsp::ResamplerQuality;

constexpr std::int64_t kMaxBlockFrames = 16'777'216;

// The host's own if the model takes it, or else all the nearest.
std::vector<std::int64_t> nearest_rates(std::int64_t host_hz, const std::vector<std::int64_t>& rates_hz) {
  if (rates_hz.empty()) return {host_hz};
  const auto distance = [host_hz](std::int64_t rate_hz) { return std::abs(rate_hz - host_hz); };
  const std::int64_t least = distance(*std::ranges::min_element(rates_hz, {}, distance));
  std::vector<std::int64_t> nearest;
  std::ranges::copy_if(rates_hz, std::back_inserter(nearest), [&](std::int64_t hz) { return distance(hz) == least; });
  return nearest;
}

std::int64_t best_block(std::int64_t host_block, const RateRatio& ratio, std::vector<std::int64_t> sizes_frames) {
  const auto [up, down] = ratio;
  if (sizes_frames.empty()) return ceil_div(host_block * up, down);
  std::ranges::sort(sizes_frames);
  for (const std::int64_t size : sizes_frames) {
    if (size * down % (host_block * up) == 0) return size;
  }
  for (const std::int64_t size : sizes_frames) {
    if (size * down > host_block * up) return size;
  }
  return sizes_frames.back();
}

struct Candidate {
  ModelSetting setting;
  std::int64_t delay = 0;  // in samples of the host, without the model's own
};

// docs/latency.md derives the delay.
Candidate candidate(const engine::HostFormat& host, std::int64_t rate_hz,
                    const std::vector<std::int64_t>& sizes_frames) {
  const auto to_model = dsp::plan_resampler(host.sample_rate_hz, rate_hz, ResamplerQuality::kStandard);
  const auto to_host = dsp::plan_resampler(rate_hz, host.sample_rate_hz, ResamplerQuality::kStandard);
  const auto host_block = static_cast<std::int64_t>(host.max_block_frames);
  const auto ratio = RateRatio::of(host.sample_rate_hz, rate_hz);
  const std::int64_t block = best_block(host_block, ratio, sizes_frames);
  const std::int64_t largest = std::max(ceil_div(host_block * ratio.up, ratio.down), block);
  if (largest > kMaxBlockFrames) {
    throw std::invalid_argument("a block may have at most " + std::to_string(kMaxBlockFrames) +
                                " frames, also at the other rate, got " + std::to_string(largest));
  }
  const std::int64_t resampling = resampling_steps(ratio, static_cast<std::int64_t>(to_model.half_taps),
                                                   static_cast<std::int64_t>(to_host.half_taps));
  const std::int64_t buffering = buffering_steps(host.has_constant_blocks ? host_block : 1, block, ratio);
  return {{rate_hz, block}, ceil_div(resampling + buffering, ratio.up)};
}

}  // namespace

ModelSetting choose_setting(const engine::HostFormat& host, const std::vector<std::int64_t>& rates_hz,
                            const std::vector<std::int64_t>& sizes_frames) {
  if (host.sample_rate_hz < 1 || host.max_block_frames < 1 ||
      host.max_block_frames > static_cast<std::size_t>(kMaxBlockFrames)) {
    throw std::invalid_argument("a host needs a rate above 0 Hz and blocks of 1 to " + std::to_string(kMaxBlockFrames) +
                                " frames, got " + std::to_string(host.sample_rate_hz) + " Hz and " +
                                std::to_string(host.max_block_frames));
  }
  std::vector<Candidate> candidates;
  for (const std::int64_t rate_hz : nearest_rates(host.sample_rate_hz, rates_hz)) {
    candidates.push_back(candidate(host, rate_hz, sizes_frames));
  }
  return std::ranges::min_element(candidates, {}, &Candidate::delay)->setting;
}

}  // namespace neutone::host
