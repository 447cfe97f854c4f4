#include "host_stream_memory.h"

#include <bit>
#include <stdexcept>

namespace neutone::dsp {
namespace {

constexpr std::int64_t kMaxCapacity = 1'099'511'627'776;
constexpr std::int64_t kMaxTableSide = 16'777'216;

constexpr bool in_range(std::int64_t value, std::int64_t least, std::int64_t most) noexcept {
  return value >= least && value <= most;
}

std::int64_t power_of_two_above(std::int64_t count) noexcept {
  return static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(count)));
}

HostStreamFilter filter_of(const ResamplerPlan& plan) {
  return {static_cast<std::int64_t>(plan.half_taps), static_cast<std::int64_t>(plan.taps),
          static_cast<std::int64_t>(plan.rows), static_cast<std::int64_t>(ResamplerView<float>::history_frames(plan))};
}

bool are_sane(const HostStreamSettings& settings) noexcept {
  return in_range(settings.least_frames, 1, settings.most_frames) && settings.most_frames <= kMaxStreamFrames &&
         in_range(settings.model_block, 1, kMaxStreamFrames) && in_range(settings.in_channels, 1, 2) &&
         in_range(settings.out_channels, 1, 2) && in_range(settings.n_params, 1, kMaxStreamParams) &&
         in_range(settings.ratio.up, 1, kMaxRateHz) && in_range(settings.ratio.down, 1, kMaxRateHz);
}

bool is_sane_capacity(std::int64_t capacity) noexcept {
  return in_range(capacity, 1, kMaxCapacity) && is_power_of_two(static_cast<std::size_t>(capacity));
}

bool is_sane_filter(const HostStreamFilter& filter, const ResamplerPlan& plan) noexcept {
  if (!in_range(filter.taps, 1, kMaxTableSide) || !in_range(filter.rows, 1, kMaxTableSide) ||
      !in_range(filter.half_taps, 1, filter.taps / 2) || filter.taps % std::int64_t{kTapsMultiple} != 0) {
    return false;
  }
  const auto padding = static_cast<std::int64_t>(plan.padding());
  if (!in_range(filter.history_frames, filter.taps + padding, kMaxCapacity)) return false;
  if (!plan.is_exact()) return filter.rows > std::int64_t{kExtraRows};
  // A group's windows lie within a row, or its last would wait for room that never comes.
  return filter.rows % std::int64_t{kGroupRows} == 0 && padding * plan.up >= std::int64_t{kGroupRows - 1} * plan.down;
}

bool are_sane(const RingCursors& cursors, std::int64_t capacity) noexcept {
  const auto room = static_cast<std::uint64_t>(capacity);
  return cursors.written - cursors.read <= room && cursors.written - cursors.read_seen <= room &&
         cursors.written_seen - cursors.read <= room;
}

}  // namespace

HostStreamHeader HostStreamHeader::planned(const HostStreamSettings& settings, std::int64_t host_hz,
                                           std::int64_t model_hz) {
  HostStreamHeader header;
  header.settings = settings;
  const ResamplerPlan to_model = plan_resampler(host_hz, model_hz, ResamplerQuality::kStandard);
  const ResamplerPlan to_host = plan_resampler(model_hz, host_hz, ResamplerQuality::kStandard);
  const RateRatio ratio = RateRatio::of(host_hz, model_hz);
  header.settings.ratio = ratio;
  if (!are_sane(header.settings)) throw std::invalid_argument("a stream has no such blocks, channels or parameters");
  header.to_model = filter_of(to_model);
  header.to_host = filter_of(to_host);
  const std::int64_t block = settings.model_block;
  const std::int64_t most = settings.most_frames;
  // At most `block - 1` frames wait when those of the next callback come.
  const std::int64_t coming = ceil_div((most + 1) * ratio.up, ratio.down) + 1;
  header.in_capacity = power_of_two_above(block + coming);
  // An undelayed stream waits for nothing: what the resampler to the host looks ahead piles up in the ring.
  const std::int64_t ahead =
      ceil_div(resampling_steps(ratio, header.to_model.half_taps, header.to_host.half_taps), ratio.down);
  header.out_capacity = power_of_two_above(block + coming + ahead + 1);
  header.param_capacity =
      power_of_two_above(header.look_ahead() + most + ceil_div((block + 1) * ratio.down, ratio.up) + 2);
  return header;
}

bool HostStreamHeader::is_sane(std::size_t size) const noexcept {
  if (format != kFormat || !are_sane(settings) || !is_sane_capacity(in_capacity) || !is_sane_capacity(out_capacity) ||
      !is_sane_capacity(param_capacity)) {
    return false;
  }
  if (is_resampling()) {
    const ResamplerPlan model_plan = to_model_plan();
    const ResamplerPlan host_plan = to_host_plan();
    if (!is_sane_filter(to_model, model_plan) || !is_sane_filter(to_host, host_plan) ||
        !to_model_cursor.is_sane(model_plan, to_model.history_frames) ||
        !to_host_cursor.is_sane(host_plan, to_host.history_frames)) {
      return false;
    }
  }
  const std::int64_t steps = settings.ratio.up + settings.ratio.down;
  return HostStreamLayout(*this).size == size && are_sane(in, in_capacity) && are_sane(out, out_capacity) &&
         are_sane(params, param_capacity) && in_range(param_part, 0, steps - 1) &&
         in_range(host_frames, 0, settings.most_frames) && in_range(host_channels, 1, 2);
}

HostStreamLayout::HostStreamLayout(const HostStreamHeader& header) noexcept {
  constexpr std::size_t kLine = kCacheLineBytes / sizeof(float);
  std::size_t end = sizeof(HostStreamHeader) / sizeof(float);
  const auto place = [&end](std::int64_t rows, std::int64_t row) {
    const std::size_t start = end;
    end += (static_cast<std::size_t>(rows) * static_cast<std::size_t>(row) + kLine - 1) / kLine * kLine;
    return start;
  };
  const HostStreamSettings& settings = header.settings;
  defaults = place(settings.n_params, 1);
  in = place(settings.in_channels, ring_row(header.in_capacity));
  out = place(settings.out_channels, ring_row(header.out_capacity));
  params = place(settings.n_params, ring_row(header.param_capacity));
  if (header.is_resampling()) {
    to_model_table = place(header.to_model.rows, header.to_model.taps);
    to_model_history = place(settings.in_channels, header.to_model.history_frames);
    to_host_table = place(header.to_host.rows, header.to_host.taps);
    to_host_history = place(settings.out_channels, header.to_host.history_frames);
  }
  size = end;
}

}  // namespace neutone::dsp
