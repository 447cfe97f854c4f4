#pragma once

#include <array>
#include <cstddef>
#include <cstring>

// Short vectors in the compilers' own notation, which each target lowers to what it has: a kernel written once is
// compiled once for every instruction set that is worth it. Elsewhere, as with MSVC, plain loops: NEUTONE_PLAIN_LOOPS
// has other compilers test them.
#if defined(__GNUC__) && !defined(NEUTONE_PLAIN_LOOPS)
#define NEUTONE_HAS_VECTORS
#endif
#ifdef __GNUC__
#define NEUTONE_ALWAYS_INLINE [[gnu::always_inline]] inline
// Before a short loop over an array of vectors, which lies in registers only if no index is left.
#define NEUTONE_UNROLL _Pragma("GCC unroll 16")
#else
#define NEUTONE_ALWAYS_INLINE inline
#define NEUTONE_UNROLL
#endif

namespace neutone::dsp {

#ifdef NEUTONE_HAS_VECTORS
template <typename Real, std::size_t Lanes>
struct VectorOf {
  using Type [[gnu::vector_size(Lanes * sizeof(Real))]] = Real;
};
template <typename Real, std::size_t Lanes>
using Vector = VectorOf<Real, Lanes>::Type;
#else
template <typename Real, std::size_t Lanes>
struct Vector {
  Real lanes[Lanes];
  Real operator[](std::size_t lane) const { return lanes[lane]; }
  Vector& operator+=(const Vector& other) {
    for (std::size_t lane = 0; lane < Lanes; ++lane) lanes[lane] += other.lanes[lane];
    return *this;
  }
  friend Vector operator+(const Vector& a, const Vector& b) {
    Vector sum = a;
    return sum += b;
  }
  friend Vector operator-(const Vector& a, const Vector& b) {
    Vector difference;
    for (std::size_t lane = 0; lane < Lanes; ++lane) difference.lanes[lane] = a.lanes[lane] - b.lanes[lane];
    return difference;
  }
  friend Vector operator*(const Vector& a, const Vector& b) {
    Vector product;
    for (std::size_t lane = 0; lane < Lanes; ++lane) product.lanes[lane] = a.lanes[lane] * b.lanes[lane];
    return product;
  }
};
#endif

// From memory of any alignment. By reference, because the way to return wide vectors depends on the instruction set.
template <typename Real, typename Vector>
NEUTONE_ALWAYS_INLINE void load(const Real* from, Vector& to) noexcept {
  std::memcpy(&to, from, sizeof(Vector));
}

// The same value in all lanes. Through memory, which compilers see through; arithmetic with a scalar they take apart
// lane by lane before the vector meets its instruction set.
template <typename Real, typename Vector>
NEUTONE_ALWAYS_INLINE void spread(Real value, Vector& to) noexcept {
  std::array<Real, sizeof(Vector) / sizeof(Real)> lanes{};
  for (Real& lane : lanes) lane = value;
  load(lanes.data(), to);
}

// What was loaded before stays in a register: compilers like to load it again for each use, and loads are what limits.
NEUTONE_ALWAYS_INLINE void keep_loaded() noexcept {
#ifdef __GNUC__
  asm volatile("" : : : "memory");  // NOLINT(*-no-assembler): standard fences have vectors stored, too
#endif
}

inline constexpr std::size_t kSums = 8;

// Adds up the lanes of each of eight vectors, all at once: a row of shuffles for eight sums rather than for one.
#ifdef NEUTONE_HAS_VECTORS
template <typename Real, std::size_t Lanes>
NEUTONE_ALWAYS_INLINE void sum_lanes(const std::array<Vector<Real, Lanes>, kSums>& in,
                                     std::array<Real, kSums>& sums) noexcept {
  if constexpr (Lanes == 8) {
    std::array<Vector<Real, 8>, 4> halves{};
    for (std::size_t i = 0; i < 4; ++i) {
      const auto& a = in[2 * i];
      const auto& b = in[2 * i + 1];
      halves[i] = __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13) +
                  __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15);
    }
    std::array<Vector<Real, 8>, 2> quarters{};
    for (std::size_t i = 0; i < 2; ++i) {
      const auto& a = halves[2 * i];
      const auto& b = halves[2 * i + 1];
      quarters[i] = __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13) +
                    __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15);
    }
    const Vector<Real, 8> whole = __builtin_shufflevector(quarters[0], quarters[1], 0, 1, 2, 3, 8, 9, 10, 11) +
                                  __builtin_shufflevector(quarters[0], quarters[1], 4, 5, 6, 7, 12, 13, 14, 15);
    std::memcpy(sums.data(), &whole, sizeof(whole));
  } else {
    static_assert(Lanes == 4);
    for (std::size_t i = 0; i < 2; ++i) {
      const auto* const four = &in[4 * i];
      const Vector<Real, 4> a =
          __builtin_shufflevector(four[0], four[1], 0, 4, 2, 6) + __builtin_shufflevector(four[0], four[1], 1, 5, 3, 7);
      const Vector<Real, 4> b =
          __builtin_shufflevector(four[2], four[3], 0, 4, 2, 6) + __builtin_shufflevector(four[2], four[3], 1, 5, 3, 7);
      const Vector<Real, 4> whole =
          __builtin_shufflevector(a, b, 0, 1, 4, 5) + __builtin_shufflevector(a, b, 2, 3, 6, 7);
      std::memcpy(sums.data() + 4 * i, &whole, sizeof(whole));
    }
  }
}

// The lower half of the lanes plus the upper half.
template <typename Real, std::size_t Lanes>
NEUTONE_ALWAYS_INLINE void fold(const Vector<Real, Lanes>& in, Vector<Real, Lanes / 2>& out) noexcept {
  if constexpr (Lanes == 16) {
    out = __builtin_shufflevector(in, in, 0, 1, 2, 3, 4, 5, 6, 7) +
          __builtin_shufflevector(in, in, 8, 9, 10, 11, 12, 13, 14, 15);
  } else {
    static_assert(Lanes == 8);
    out = __builtin_shufflevector(in, in, 0, 1, 2, 3) + __builtin_shufflevector(in, in, 4, 5, 6, 7);
  }
}
#else
template <typename Real, std::size_t Lanes>
inline void sum_lanes(const std::array<Vector<Real, Lanes>, kSums>& in, std::array<Real, kSums>& sums) noexcept {
  for (std::size_t i = 0; i < kSums; ++i) {
    sums[i] = Real(0);
    for (std::size_t lane = 0; lane < Lanes; ++lane) sums[i] += in[i][lane];
  }
}
template <typename Real, std::size_t Lanes>
inline void fold(const Vector<Real, Lanes>& in, Vector<Real, Lanes / 2>& out) noexcept {
  for (std::size_t lane = 0; lane < Lanes / 2; ++lane) out.lanes[lane] = in[lane] + in[lane + Lanes / 2];
}
#endif

}  // namespace neutone::dsp
