#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace neutone::dsp {

enum class FirKind : std::uint8_t { kLowpass, kHighpass, kBandpass, kBandstop };

// Throws std::invalid_argument unless it is one of lowpass, highpass, bandpass, bandstop.
[[nodiscard]] FirKind fir_kind(std::string_view name);

// How many cutoffs a kind has: bands have two.
[[nodiscard]] std::size_t count_cutoffs(FirKind kind) noexcept;

// Linear-phase filter: a sinc, or a sum of them, with a Kaiser window of beta 12, which delays by n_taps / 2, rounded
// down, samples. At a cutoff the gain is 1/2 (-6 dB); stop bands are at -118 dB and below, and the transition between
// pass band and stop band is about 8 / n_taps wide. The gain is exactly 1 at 0 (lowpass, bandstop), at Nyquist
// (highpass) or in the middle of the band (bandpass).
//
// Throws std::invalid_argument unless there is one cutoff, or for bands two that rise, each above 0 and below 0.5, and
// n_taps is odd and in 1..kMaxFirTaps. [allocates]
[[nodiscard]] std::vector<double> design_fir(FirKind kind, std::span<const double> normalized_cutoffs,
                                             std::int64_t n_taps);

// What a filter makes of exp(2 pi i normalized_freq n).
[[nodiscard]] std::complex<double> frequency_response(std::span<const double> taps, double normalized_freq) noexcept;

}  // namespace neutone::dsp
