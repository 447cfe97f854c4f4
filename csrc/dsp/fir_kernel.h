#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

#include "fft_transform.h"
#include "simd.h"

// The sums of a FIR filter, to be compiled for one instruction set after the other; for fir_kernels.cpp only. In float,
// a sum of many terms is as exact as its longest chain of additions is short: it is made of the sums of kChain terms,
// and of the sums of kChain such sums.
namespace neutone::dsp {

// Output frames that are summed directly; `out` must have room for one vector more.
struct DirectSum {
  const float* taps;
  std::size_t n_taps;
  const float* input;  // of the first output frame; a vector more must be there to read, whatever it holds
  std::size_t frames;
  float* out;
};

// Sums over partitions of the products of their spectra with those of the input, for some tiles of bins.
struct SpectrumSum {
  const float* filter = nullptr;   // a row of `slots` tiles for each tile of bins
  const float* spectra = nullptr;  // the same, newest at `slot` and the others behind it, around the end
  float* sums = nullptr;           // a tile for each tile of bins
  std::size_t slots = 0;
  std::size_t slot = 0;   // of the input for the first partition
  std::size_t first = 0;  // partition
  std::size_t count = 0;  // of partitions
  std::size_t first_tile = 0;
  std::size_t end_tile = 0;
  bool adds = false;  // to the sums that are there
};

inline constexpr std::size_t kMaxDirectLanes = 16;

namespace kernel {

inline constexpr std::size_t kChain = 16;
// Vectors of neighbouring output frames that share each tap, so that the additions of one do not wait for each other.
inline constexpr std::size_t kDirectVectors = 8;
inline constexpr std::size_t kTapsAtOnce = 2;

// Adds the products of a whole chain of taps. Taps that are a vector apart meet the same frames in neighbouring
// vectors, so a load serves up to kTapsAtOnce of them: loads, most of which cross a cache line, are what limits.
template <std::size_t Lanes, std::size_t Vectors>
NEUTONE_ALWAYS_INLINE void add_chain(const float* taps, const float* input,
                                     std::array<Vector<float, Lanes>, Vectors>& totals) noexcept {
  std::array<Vector<float, Lanes>, Vectors> chains{};
  for (std::size_t tap = 0; tap < Lanes; ++tap, --input) {
    std::array<Vector<float, Lanes>, kTapsAtOnce> factors{};
    for (std::size_t i = 0; i < kTapsAtOnce; ++i) spread(taps[tap + i * Lanes], factors[i]);
    for (std::size_t i = 0; i < Vectors + kTapsAtOnce - 1; ++i) {
      Vector<float, Lanes> frames;
      load(input - (kTapsAtOnce - 1) * Lanes + i * Lanes, frames);
      keep_loaded();
      for (std::size_t k = 0; k < kTapsAtOnce; ++k) {
        const std::size_t vector = i + k - (kTapsAtOnce - 1);
        if (i + k >= kTapsAtOnce - 1 && vector < Vectors) chains[vector] += factors[k] * frames;
      }
    }
  }
  for (std::size_t i = 0; i < Vectors; ++i) totals[i] += chains[i];
}

// The same for what is left of the taps.
template <std::size_t Lanes, std::size_t Vectors>
NEUTONE_ALWAYS_INLINE void add_rest(const float* taps, std::size_t n_taps, const float* input,
                                    std::array<Vector<float, Lanes>, Vectors>& totals) noexcept {
  std::array<Vector<float, Lanes>, Vectors> chains{};
  for (std::size_t tap = 0; tap < n_taps; ++tap, --input) {
    Vector<float, Lanes> factor;
    spread(taps[tap], factor);
    for (std::size_t i = 0; i < Vectors; ++i) {
      Vector<float, Lanes> frames;
      load(input + i * Lanes, frames);
      chains[i] += factor * frames;
    }
  }
  for (std::size_t i = 0; i < Vectors; ++i) totals[i] += chains[i];
}

// Each lane is the sum of one output frame, computed in the same order wherever the frame lies in its vector or block.
template <std::size_t Lanes, std::size_t Vectors>
NEUTONE_ALWAYS_INLINE void sum_group(const DirectSum& sum, std::size_t frame) noexcept {
  constexpr std::size_t kTaps = kTapsAtOnce * Lanes;
  const float* const input = sum.input + frame;
  std::array<Vector<float, Lanes>, Vectors> totals{};
  std::size_t tap = 0;
  while (tap + kTaps <= sum.n_taps) {
    std::array<Vector<float, Lanes>, Vectors> chains{};
    for (std::size_t i = 0; i < kChain && tap + kTaps <= sum.n_taps; ++i, tap += kTaps) {
      add_chain<Lanes, Vectors>(sum.taps + tap, input - tap, chains);
    }
    for (std::size_t i = 0; i < Vectors; ++i) totals[i] += chains[i];
  }
  add_rest<Lanes, Vectors>(sum.taps + tap, sum.n_taps - tap, input - tap, totals);
  std::memcpy(sum.out + frame, totals.data(), sizeof(totals));
}

template <std::size_t Lanes>
NEUTONE_ALWAYS_INLINE void sum_directly(const DirectSum& sum) noexcept {
  std::size_t frame = 0;
  for (; frame + kDirectVectors * Lanes <= sum.frames; frame += kDirectVectors * Lanes) {
    sum_group<Lanes, kDirectVectors>(sum, frame);
  }
  for (; frame + 2 * Lanes <= sum.frames; frame += 2 * Lanes) sum_group<Lanes, 2>(sum, frame);
  for (; frame < sum.frames; frame += Lanes) sum_group<Lanes, 1>(sum, frame);
}

// Adds `count` products of neighbouring tiles.
NEUTONE_ALWAYS_INLINE void add_products(const float* filter, const float* spectra, std::size_t count,
                                        Points& total) noexcept {
  for (std::size_t first = 0; first < count; first += kChain) {
    Points plus{};
    Points minus{};
    const std::size_t end = std::min(first + kChain, count);
    for (std::size_t i = first; i < end; ++i) {
      Points h{};
      Points x{};
      load_points({filter + i * kFftTile, filter + i * kFftTile + kFftLanes}, 0, h);
      load_points({spectra + i * kFftTile, spectra + i * kFftTile + kFftLanes}, 0, x);
      plus.re += h.re * x.re;
      minus.re += h.im * x.im;
      plus.im += h.re * x.im;
      minus.im += h.im * x.re;
    }
    total.re += plus.re - minus.re;
    total.im += plus.im + minus.im;
  }
}

NEUTONE_ALWAYS_INLINE void sum_spectra(const SpectrumSum& sum) noexcept {
  const std::size_t before_end = std::min(sum.count, sum.slots - sum.slot);
  const std::size_t row = sum.slots * kFftTile;
  for (std::size_t tile = sum.first_tile; tile < sum.end_tile; ++tile) {
    const float* const filter = sum.filter + tile * row + sum.first * kFftTile;
    const float* const spectra = sum.spectra + tile * row;
    float* const at = sum.sums + tile * kFftTile;
    Points total{};
    if (sum.adds) load_points({at, at + kFftLanes}, 0, total);
    add_products(filter, spectra + sum.slot * kFftTile, before_end, total);
    add_products(filter + before_end * kFftTile, spectra, sum.count - before_end, total);
    store_points(total, {at, at + kFftLanes}, 0);
  }
}

}  // namespace kernel
}  // namespace neutone::dsp
