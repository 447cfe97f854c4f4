#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include "realtime.h"

namespace neutone::dsp {

// In how many versions, counted from the one that runs everywhere, a kernel can run on this processor: that one only,
// those for AVX2 with FMA, or those for AVX-512 too. [any thread, wait-free]
[[nodiscard]] std::size_t count_instruction_sets() noexcept NEUTONE_NONBLOCKING;

// Those of a kernel's versions, in that order, that this processor can run.
template <typename Kernel>
[[nodiscard]] std::span<const Kernel> supported(std::span<const Kernel> versions) noexcept NEUTONE_NONBLOCKING {
  return versions.first(std::min(versions.size(), count_instruction_sets()));
}

}  // namespace neutone::dsp
