#pragma once

#include <cstdint>
#include <vector>

#include "biquad_section.h"

// Filters as sections of second order, for any engine that runs those. Frequencies are cycles per sample, between 0 and
// 0.5, both excluded. Every function throws std::invalid_argument if an argument is outside its range, and also if the
// coefficients, rounded to float64, would no longer be a stable filter.
namespace neutone::dsp {

inline constexpr double kMaxGainDb = 200.0;
inline constexpr double kMaxRippleDb = 300.0;
inline constexpr int kMaxFilterOrder = 16;

enum class BiquadKind : std::uint8_t {
  kLowpass,
  kHighpass,
  kBandpass,  // 0 dB at its peak
  kNotch,
  kPeak,
  kLowShelf,
  kHighShelf,
  kAllpass,
};

// One section as in the Audio EQ Cookbook. Low-pass and high-pass have the gain `q` at `normalized_freq`, peak has
// `gain_db`, a shelf half of it; the others know no gain_db, and it is ignored. q must be above 0 and finite, gain_db
// in -kMaxGainDb..kMaxGainDb.
[[nodiscard]] BiquadSection design_biquad(BiquadKind kind, double normalized_freq, double q, double gain_db = 0.0);

// What a filter passes: below or above one cutoff, or between or outside of two.
class FilterBand {
 public:
  enum class Kind : std::uint8_t { kLowpass, kHighpass, kBandpass, kBandstop };

  [[nodiscard]] static FilterBand lowpass(double cutoff) { return {Kind::kLowpass, cutoff, cutoff}; }
  [[nodiscard]] static FilterBand highpass(double cutoff) { return {Kind::kHighpass, cutoff, cutoff}; }
  [[nodiscard]] static FilterBand bandpass(double low, double high) { return {Kind::kBandpass, low, high}; }
  [[nodiscard]] static FilterBand bandstop(double low, double high) { return {Kind::kBandstop, low, high}; }

  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  [[nodiscard]] bool has_two_edges() const noexcept { return kind_ == Kind::kBandpass || kind_ == Kind::kBandstop; }
  // Equal unless there are two.
  [[nodiscard]] double low_normalized_freq() const noexcept { return low_; }
  [[nodiscard]] double high_normalized_freq() const noexcept { return high_; }

 private:
  FilterBand(Kind kind, double low, double high);

  Kind kind_;
  double low_;
  double high_;
};

// The families. `order` is that of the analog low-pass prototype, 1..kMaxFilterOrder: band-pass and band-stop filters
// have twice as many poles. What a family promises at its edges, which is where SciPy's butter, cheby1 and cheby2 have
// them:
//
//   Butterworth       -3.0103 dB (half the power)
//   Linkwitz-Riley    -6.0206 dB (half the amplitude)
//   Chebyshev I       -ripple_db, where the pass band's ripple ends
//   Chebyshev II      -attenuation_db, where the stop band begins
//
// The gain is 1 at 0 for low-pass and band-stop, at Nyquist for high-pass, at the warped geometric mean of its edges
// for band-pass; but for Chebyshev I of even order, which ripples between -ripple_db and 0 dB, -ripple_db there.
// Sections of odd order's real pole come first, the sharpest resonance last, and each has a gain of 1 there, too (of
// band-stop, each two), so that no signal in between is much larger than that at either end.
[[nodiscard]] std::vector<BiquadSection> design_butterworth(const FilterBand& band, int order);

// Two Butterworth filters of half the order in series; low-pass and high-pass of even order only. Low-pass plus
// high-pass of one cutoff is an all-pass filter for orders 4, 8, 12 and 16; for 2, 6, 10 and 14 the two are in opposite
// phase, and low-pass minus high-pass is.
[[nodiscard]] std::vector<BiquadSection> design_linkwitz_riley(const FilterBand& band, int order);

// ripple_db in (0, kMaxRippleDb].
[[nodiscard]] std::vector<BiquadSection> design_chebyshev1(const FilterBand& band, int order, double ripple_db);

// attenuation_db in (0, kMaxRippleDb].
[[nodiscard]] std::vector<BiquadSection> design_chebyshev2(const FilterBand& band, int order, double attenuation_db);

}  // namespace neutone::dsp
