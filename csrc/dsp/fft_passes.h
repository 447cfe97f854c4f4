#pragma once

#include <array>
#include <cstddef>
#include <cstring>

#include "fft.h"
#include "fft_levels.h"
#include "simd.h"

// The passes of the transform of fft.h, to be compiled for one instruction set after the other; for fir_kernels.cpp
// only. Twiddles are conjugated on the way back, which ends with `bins` times what the way there began with.
namespace neutone::dsp::kernel {

using FftVector = Vector<float, kFftLanes>;

// kFftLanes complex numbers.
struct Points {
  FftVector re;
  FftVector im;
};

// Where complex numbers lie, parts apart.
struct ConstParts {
  const float* re;
  const float* im;
};
struct Parts {
  float* re;
  float* im;
  [[nodiscard]] ConstParts read() const noexcept { return {re, im}; }
};

NEUTONE_ALWAYS_INLINE void load_points(const ConstParts& from, std::size_t at, Points& to) noexcept {
  load(from.re + at, to.re);
  load(from.im + at, to.im);
}

NEUTONE_ALWAYS_INLINE void store_points(const Points& from, const Parts& to, std::size_t at) noexcept {
  std::memcpy(to.re + at, &from.re, sizeof(FftVector));
  std::memcpy(to.im + at, &from.im, sizeof(FftVector));
}

NEUTONE_ALWAYS_INLINE void spread_point(const float* from, Points& to) noexcept {
  spread(from[0], to.re);
  spread(from[1], to.im);
}

NEUTONE_ALWAYS_INLINE void add(const Points& a, const Points& b, Points& sum) noexcept {
  sum.re = a.re + b.re;
  sum.im = a.im + b.im;
}
NEUTONE_ALWAYS_INLINE void subtract(const Points& a, const Points& b, Points& difference) noexcept {
  difference.re = a.re - b.re;
  difference.im = a.im - b.im;
}
// a + i b and a - i b.
NEUTONE_ALWAYS_INLINE void add_turned(const Points& a, const Points& b, Points& sum) noexcept {
  sum.re = a.re - b.im;
  sum.im = a.im + b.re;
}
NEUTONE_ALWAYS_INLINE void subtract_turned(const Points& a, const Points& b, Points& difference) noexcept {
  difference.re = a.re + b.im;
  difference.im = a.im - b.re;
}

template <bool kForward>
NEUTONE_ALWAYS_INLINE void twiddle(Points& point, const Points& w) noexcept {
  const FftVector re = point.re;
  if constexpr (kForward) {
    point.re = re * w.re - point.im * w.im;
    point.im = re * w.im + point.im * w.re;
  } else {
    point.re = re * w.re + point.im * w.im;
    point.im = point.im * w.re - re * w.im;
  }
}

template <bool kForward>
NEUTONE_ALWAYS_INLINE void radix2(Points& a, Points& b, const Points& w) noexcept {
  if constexpr (kForward) twiddle<true>(b, w);
  const Points first = a;
  add(first, b, a);
  subtract(first, b, b);
  if constexpr (!kForward) twiddle<false>(b, w);
}

// Two levels of radix 2 whose second twiddles are square roots of the first, times 1 and i.
template <bool kForward>
NEUTONE_ALWAYS_INLINE void radix4(Points* p, const std::array<Points, 3>& w) noexcept {
  std::array<Points, 4> s{};
  if constexpr (kForward) {
    NEUTONE_UNROLL
    for (std::size_t i = 0; i < 3; ++i) twiddle<true>(p[i + 1], w[i]);
    add(p[0], p[2], s[0]);
    subtract(p[0], p[2], s[1]);
    add(p[1], p[3], s[2]);
    subtract(p[1], p[3], s[3]);
    add(s[0], s[2], p[0]);
    subtract(s[0], s[2], p[1]);
    add_turned(s[1], s[3], p[2]);
    subtract_turned(s[1], s[3], p[3]);
  } else {
    add(p[0], p[1], s[0]);
    subtract(p[0], p[1], s[1]);
    add(p[2], p[3], s[2]);
    subtract(p[2], p[3], s[3]);
    add(s[0], s[2], p[0]);
    subtract_turned(s[1], s[3], p[1]);
    subtract(s[0], s[2], p[2]);
    add_turned(s[1], s[3], p[3]);
    NEUTONE_UNROLL
    for (std::size_t i = 0; i < 3; ++i) twiddle<false>(p[i + 1], w[i]);
  }
}

template <bool kForward>
NEUTONE_ALWAYS_INLINE void pass_radix2(const ConstParts& in, const Parts& out, std::size_t bins,
                                       const float* twiddles) noexcept {
  Points w{};
  spread_point(twiddles, w);
  for (std::size_t i = 0; i < bins / 2; i += kFftLanes) {
    Points a{};
    Points b{};
    load_points(in, i, a);
    load_points(in, i + bins / 2, b);
    radix2<kForward>(a, b, w);
    store_points(a, out, i);
    store_points(b, out, i + bins / 2);
  }
}

template <bool kForward>
NEUTONE_ALWAYS_INLINE void pass_radix4(const ConstParts& in, const Parts& out, std::size_t bins, std::size_t nodes,
                                       const float* twiddles) noexcept {
  const std::size_t quarter = bins / nodes / 4;
  for (std::size_t node = 0; node < nodes; ++node) {
    std::array<Points, 3> w{};
    NEUTONE_UNROLL
    for (std::size_t i = 0; i < 3; ++i) spread_point(twiddles + kRadix4Twiddles * node + 2 * i, w[i]);
    const std::size_t first = 4 * quarter * node;
    for (std::size_t i = first; i < first + quarter; i += kFftLanes) {
      std::array<Points, 4> p{};
      NEUTONE_UNROLL
      for (std::size_t k = 0; k < 4; ++k) load_points(in, i + k * quarter, p[k]);
      radix4<kForward>(p.data(), w);
      NEUTONE_UNROLL
      for (std::size_t k = 0; k < 4; ++k) store_points(p[k], out, i + k * quarter);
    }
  }
}

}  // namespace neutone::dsp::kernel
