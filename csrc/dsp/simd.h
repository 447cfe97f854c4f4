#pragma once

#include <cstddef>
#include <cstring>

// Short vectors in the compilers' own notation, which each target lowers to what it has: a kernel written once is
// compiled once for every instruction set that is worth it. Elsewhere, plain loops.
#if defined(__GNUC__)
#define NEUTONE_ALWAYS_INLINE [[gnu::always_inline]] inline
#else
#define NEUTONE_ALWAYS_INLINE inline
#endif

namespace neutone::dsp {

#if defined(__GNUC__)
template <typename Real, std::size_t Lanes>
struct VectorOf {
  using Type [[gnu::vector_size(Lanes * sizeof(Real))]] = Real;
};
template <typename Real, std::size_t Lanes>
using Vector = typename VectorOf<Real, Lanes>::Type;
#else
template <typename Real, std::size_t Lanes>
struct Vector {
  Real lanes[Lanes];
  Real operator[](std::size_t lane) const { return lanes[lane]; }
  Vector& operator+=(const Vector& other) {
    for (std::size_t lane = 0; lane < Lanes; ++lane) lanes[lane] += other.lanes[lane];
    return *this;
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

}  // namespace neutone::dsp
