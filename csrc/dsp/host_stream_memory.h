#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "aligned_buffer.h"
#include "resampler.h"
#include "schedule.h"
#include "spsc_ring.h"

// What a stream between a host and a model (host_stream.h) keeps, in one block of memory: a header, and behind it what
// the header says the sizes of. Others may own, copy, save and load it; whatever they put there, nobody looks beyond
// it.
namespace neutone::dsp {

inline constexpr std::int64_t kMaxStreamParams = 64;
inline constexpr std::int64_t kMaxStreamFrames = 33'554'432;  // of a block

// What a stream is set up for.
struct HostStreamSettings {
  std::int64_t least_frames = 1;  // of a block of the host
  std::int64_t most_frames = 1;
  std::int64_t model_block = 1;      // frames of every block of the model
  std::int64_t in_channels = 1;      // that the model hears, 1 or 2
  std::int64_t out_channels = 1;     // that it returns, 1 or 2
  std::int64_t n_params = 1;         // at most kMaxStreamParams
  std::uint64_t stepped_params = 0;  // a bit for each that is categorical: these step, others go on straight lines
  std::int64_t takes_means = 0;      // the model wants one value of each, rather than curves
  RateRatio ratio;
};

// A resampler's plan, but for its ratio, and the room it has for the past. Ones for equal rates.
struct HostStreamFilter {
  std::int64_t half_taps = 1;
  std::int64_t taps = 1;
  std::int64_t rows = 1;
  std::int64_t history_frames = 1;

  [[nodiscard]] ResamplerPlan plan(std::int64_t up, std::int64_t down) const noexcept {
    return {up, down, static_cast<std::size_t>(half_taps), static_cast<std::size_t>(taps),
            static_cast<std::size_t>(rows)};
  }
};

enum class HostStreamMode : std::int64_t {  // NOLINT(performance-enum-size): a word of the header
  kIdle,                                    // has to be started first
  kDelayed,                                 // a block of the host gets as many frames back
  kUndelayed,                               // it gets all that are ready
  kDirect,                                  // it is one or several of the model's, nothing waits
};

struct HostStreamHeader {
  static constexpr std::int64_t kFormat = 0x316d'6165'7274'736e;  // "nstream1"

  std::int64_t format = kFormat;
  HostStreamSettings settings;
  std::int64_t in_capacity = 1;  // of the rings, in frames: powers of two
  std::int64_t out_capacity = 1;
  std::int64_t param_capacity = 1;
  HostStreamFilter to_model;
  HostStreamFilter to_host;

  HostStreamMode mode = HostStreamMode::kIdle;
  std::int64_t is_busy = 0;        // blocks wait for the model, and the host for its output:
  std::int64_t host_frames = 0;    // so many frames,
  std::int64_t host_channels = 1;  // and channels
  std::int64_t is_fresh = 1;       // nothing has come in since the start
  std::int64_t param_part = 0;     // steps by which the model's next frame lies behind the oldest value of a parameter
  ResamplerCursor to_model_cursor;
  ResamplerCursor to_host_cursor;

  alignas(kCacheLineBytes) RingCursors in;
  RingCursors out;
  RingCursors params;

  // Of a stream that is idle, for rates in Hz. Leaves the rest of the settings as they are. Throws
  // std::invalid_argument if there is no such stream.
  [[nodiscard]] static HostStreamHeader planned(const HostStreamSettings& settings, std::int64_t host_hz,
                                                std::int64_t model_hz);

  [[nodiscard]] bool is_resampling() const noexcept { return settings.ratio.up != settings.ratio.down; }
  [[nodiscard]] ResamplerPlan to_model_plan() const noexcept {
    return to_model.plan(settings.ratio.up, settings.ratio.down);
  }
  [[nodiscard]] ResamplerPlan to_host_plan() const noexcept {
    return to_host.plan(settings.ratio.down, settings.ratio.up);
  }
  // Samples of the host that the resampler to the model looks ahead.
  [[nodiscard]] std::int64_t look_ahead() const noexcept { return is_resampling() ? to_model.half_taps : 0; }
  // Whether memory of so many floats can hold what this says, and nothing in it leads beyond.
  [[nodiscard]] bool is_sane(std::size_t size) const noexcept;
};
static_assert(std::is_trivially_copyable_v<HostStreamHeader> && sizeof(HostStreamHeader) % kCacheLineBytes == 0);

// Where everything begins, in floats from the start, each on a cache line of its own. A ring's rows lie a cache line
// further apart than it has room: a power of two apart, they would compete for the same places of the cache.
struct HostStreamLayout {
  explicit HostStreamLayout(const HostStreamHeader& header) noexcept;

  std::size_t defaults = 0;  // of the parameters
  std::size_t in = 0;
  std::size_t out = 0;
  std::size_t params = 0;
  std::size_t to_model_table = 0;
  std::size_t to_model_history = 0;
  std::size_t to_host_table = 0;
  std::size_t to_host_history = 0;
  std::size_t size = 0;
};

[[nodiscard]] constexpr std::int64_t ring_row(std::int64_t capacity) noexcept {
  return capacity + static_cast<std::int64_t>(kCacheLineBytes / sizeof(float));
}

}  // namespace neutone::dsp
