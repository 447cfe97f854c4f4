#pragma once

#include <bit>
#include <cstddef>

#include "fft.h"

// How a transform is divided into passes, and the twiddles of each; for fft.cpp and fft_passes.h only.
namespace neutone::dsp {

inline constexpr std::size_t kRadix2Twiddles = 2;
inline constexpr std::size_t kRadix4Twiddles = 6;
inline constexpr std::size_t kTileTwiddles = 7 * kFftTile;  // of kFftLanes nodes

// Nodes of the level whose moduli have a degree of kFftLanes: from there on the lanes are nodes.
constexpr std::size_t tile_nodes(std::size_t bins) noexcept { return bins / kFftLanes; }

// Whether an odd number of levels comes before.
constexpr bool has_radix2(std::size_t bins) noexcept { return std::countr_zero(tile_nodes(bins)) % 2 != 0; }

constexpr std::size_t first_radix4_nodes(std::size_t bins) noexcept { return has_radix2(bins) ? 2 : 1; }

}  // namespace neutone::dsp
