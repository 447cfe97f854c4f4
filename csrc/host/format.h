#pragma once

#include <cstdint>
#include <vector>

#include "../engine/model.h"

namespace neutone::host {

// The rate and the block that a model runs at.
struct ModelSetting {
  std::int64_t sample_rate_hz = 0;
  std::int64_t block_frames = 0;
};

// Chooses what suits a host, as SampleQueueWrapper does, of the rates and sizes that a model works at, empty for any.
// The rate is the host's own or the nearest, of several equally near the one with the least delay; the block the
// smallest that is a multiple of the host's, else the next larger, else the largest. Throws std::invalid_argument if
// the host's are not positive, the rates are too far apart, or a block would have more than 2^24 frames. [allocates]
[[nodiscard]] ModelSetting choose_setting(const engine::HostFormat& host, const std::vector<std::int64_t>& rates_hz,
                                          const std::vector<std::int64_t>& sizes_frames);

}  // namespace neutone::host
