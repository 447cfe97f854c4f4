#pragma once

#include <array>
#include <cstddef>

#include "fft_passes.h"

// The whole transform of fft.h, both ways; for fir_kernels.cpp only.
namespace neutone::dsp::kernel {

#ifdef NEUTONE_HAS_VECTORS
// One of three steps that exchange halves, then quarters, then neighbours.
template <std::size_t kDistance>
NEUTONE_ALWAYS_INLINE void exchange(FftVector& a, FftVector& b) noexcept {
  const FftVector first = a;
  if constexpr (kDistance == 4) {
    a = __builtin_shufflevector(first, b, 0, 1, 2, 3, 8, 9, 10, 11);
    b = __builtin_shufflevector(first, b, 4, 5, 6, 7, 12, 13, 14, 15);
  } else if constexpr (kDistance == 2) {
    a = __builtin_shufflevector(first, b, 0, 1, 8, 9, 4, 5, 12, 13);
    b = __builtin_shufflevector(first, b, 2, 3, 10, 11, 6, 7, 14, 15);
  } else {
    a = __builtin_shufflevector(first, b, 0, 8, 2, 10, 4, 12, 6, 14);
    b = __builtin_shufflevector(first, b, 1, 9, 3, 11, 5, 13, 7, 15);
  }
}

template <std::size_t kDistance>
NEUTONE_ALWAYS_INLINE void exchange_rows(std::array<FftVector, kFftLanes>& rows) noexcept {
  NEUTONE_UNROLL
  for (std::size_t i = 0; i < kFftLanes; ++i) {
    if ((i & kDistance) == 0) exchange<kDistance>(rows[i], rows[i + kDistance]);
  }
}

// Rows become lanes.
NEUTONE_ALWAYS_INLINE void transpose(std::array<FftVector, kFftLanes>& rows) noexcept {
  exchange_rows<4>(rows);
  exchange_rows<2>(rows);
  exchange_rows<1>(rows);
}
#else
inline void transpose(std::array<FftVector, kFftLanes>& rows) noexcept {
  const std::array<FftVector, kFftLanes> in = rows;
  for (std::size_t i = 0; i < kFftLanes; ++i) {
    for (std::size_t k = 0; k < kFftLanes; ++k) rows[i].lanes[k] = in[k].lanes[i];
  }
}
#endif

// The last three levels of kFftLanes nodes, lane by lane.
template <bool kForward>
NEUTONE_ALWAYS_INLINE void three_levels(std::array<Points, kFftLanes>& p, const float* twiddles) noexcept {
  const ConstParts parts{twiddles, twiddles + kFftLanes};
  std::array<Points, 7> w{};
  NEUTONE_UNROLL
  for (std::size_t i = 0; i < w.size(); ++i) load_points(parts, i * kFftTile, w[i]);
  if constexpr (kForward) {
    NEUTONE_UNROLL
    for (std::size_t i = 0; i < 4; ++i) radix2<true>(p[i], p[i + 4], w[0]);
  }
  radix4<kForward>(p.data(), {w[1], w[2], w[3]});
  radix4<kForward>(p.data() + 4, {w[4], w[5], w[6]});
  if constexpr (!kForward) {
    NEUTONE_UNROLL
    for (std::size_t i = 0; i < 4; ++i) radix2<false>(p[i], p[i + 4], w[0]);
  }
}

NEUTONE_ALWAYS_INLINE void transpose_points(std::array<Points, kFftLanes>& p) noexcept {
  std::array<FftVector, kFftLanes> rows{};
  NEUTONE_UNROLL
  for (std::size_t i = 0; i < kFftLanes; ++i) rows[i] = p[i].re;
  transpose(rows);
  NEUTONE_UNROLL
  for (std::size_t i = 0; i < kFftLanes; ++i) p[i].re = rows[i];
  NEUTONE_UNROLL
  for (std::size_t i = 0; i < kFftLanes; ++i) rows[i] = p[i].im;
  transpose(rows);
  NEUTONE_UNROLL
  for (std::size_t i = 0; i < kFftLanes; ++i) p[i].im = rows[i];
}

// `in` is the first half of the points and the second; `work` has room for all. Tiles of bins come out `tile_stride`
// numbers apart.
NEUTONE_ALWAYS_INLINE void transform(const ConstParts& in, std::size_t bins, const float* twiddles, float* work,
                                     float* out, std::size_t tile_stride) noexcept {
  const Parts parts{work, work + bins};
  ConstParts from = in;
  if (has_radix2(bins)) {
    pass_radix2<true>(from, parts, bins, twiddles);
    twiddles += kRadix2Twiddles;
    from = parts.read();
  }
  for (std::size_t nodes = first_radix4_nodes(bins); nodes < tile_nodes(bins); nodes *= 4) {
    pass_radix4<true>(from, parts, bins, nodes, twiddles);
    twiddles += kRadix4Twiddles * nodes;
    from = parts.read();
  }
  for (std::size_t first = 0; first < bins; first += kMinFftBins, twiddles += kTileTwiddles) {
    std::array<Points, kFftLanes> p{};
    NEUTONE_UNROLL
    for (std::size_t i = 0; i < kFftLanes; ++i) load_points(from, first + i * kFftLanes, p[i]);
    transpose_points(p);
    three_levels<true>(p, twiddles);
    NEUTONE_UNROLL
    for (std::size_t i = 0; i < kFftLanes; ++i, out += tile_stride) store_points(p[i], {out, out + kFftLanes}, 0);
  }
}

// `in` is tiles, one behind the other; `bins` times the two halves of the points come out. `twiddles_end` is behind the
// last.
NEUTONE_ALWAYS_INLINE void transform_back(const float* in, std::size_t bins, const float* twiddles_end,
                                          float* out) noexcept {
  const Parts parts{out, out + bins};
  const float* twiddles = twiddles_end - kTileTwiddles * (tile_nodes(bins) / kFftLanes);
  const float* tile_twiddles = twiddles;
  for (std::size_t first = 0; first < bins; first += kMinFftBins, tile_twiddles += kTileTwiddles) {
    std::array<Points, kFftLanes> p{};
    NEUTONE_UNROLL
    for (std::size_t i = 0; i < kFftLanes; ++i, in += kFftTile) load_points({in, in + kFftLanes}, 0, p[i]);
    three_levels<false>(p, tile_twiddles);
    transpose_points(p);
    NEUTONE_UNROLL
    for (std::size_t i = 0; i < kFftLanes; ++i) store_points(p[i], parts, first + i * kFftLanes);
  }
  for (std::size_t nodes = tile_nodes(bins) / 4; nodes >= first_radix4_nodes(bins); nodes /= 4) {
    twiddles -= kRadix4Twiddles * nodes;
    pass_radix4<false>(parts.read(), parts, bins, nodes, twiddles);
  }
  if (has_radix2(bins)) pass_radix2<false>(parts.read(), parts, bins, twiddles - kRadix2Twiddles);
}

}  // namespace neutone::dsp::kernel
