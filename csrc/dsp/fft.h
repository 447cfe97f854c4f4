#pragma once

#include <cstddef>
#include <span>

#include "realtime.h"

// The real Fourier transform behind long filters, in the form that convolution wants: 2n real points are taken at the n
// odd frequencies (4k + 1) / (8n), where no bin is its own mirror, so there are n complex bins and no special ones.
//
// The points a, first half, and b, second half, become the polynomial z = a + i b modulo t^n - i, because i stands for
// t^n wherever t^2n = -1: products of such transforms convolve with a wrap that changes the sign, and overlap-save
// throws away what is wrapped. A modulus t^m - w is the product of t^(m/2) - w^(1/2) and t^(m/2) + w^(1/2): each pass
// takes the remainders of two levels of that at once (radix 4), with one twiddle a node rather than one a point. That
// is the Cooley-Tukey transform with the twist of the odd frequencies inside (D. J. Bernstein, "Multidigit
// multiplication for mathematicians", 2001, sections 4 to 6). The bins stay in the order in which they come out.
namespace neutone::dsp {

// Vectors of the transform have so many lanes, on all processors: the order of the bins depends on it. Bins lie in
// tiles, so many real parts and then the imaginary ones.
inline constexpr std::size_t kFftLanes = 8;
inline constexpr std::size_t kFftTile = 2 * kFftLanes;
inline constexpr std::size_t kMinFftBins = kFftLanes * kFftLanes;

// Twiddles of a transform with a power of two of bins, at least kMinFftBins.
[[nodiscard]] std::size_t count_fft_twiddles(std::size_t bins) noexcept NEUTONE_NONBLOCKING;

// Computes them in double: first of a radix-2 pass if the levels are odd, then of each radix-4 pass, in the order of
// the forward transform; the last three levels have theirs in vectors, a lane a node. [allocates]
void write_fft_twiddles(std::size_t bins, std::span<float> twiddles);

}  // namespace neutone::dsp
