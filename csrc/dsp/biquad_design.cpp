#include "biquad_design.h"

#include <cmath>
#include <stdexcept>

#include "analog_section.h"
#include "argument_range.h"

namespace neutone::dsp {
namespace {

bool has_gain(BiquadKind kind) {
  return kind == BiquadKind::kPeak || kind == BiquadKind::kLowShelf || kind == BiquadKind::kHighShelf;
}

// The analog prototypes of R. Bristow-Johnson, Audio EQ Cookbook (W3C Working Group Note, 2021), with s divided by the
// frequency `warped`, and a leading 1 in the denominator. Through the bilinear transform they become the cookbook's
// digital formulas, without the 1 - cos(w0) that loses digits at low frequencies.
AnalogSection prototype(BiquadKind kind, double warped, double q, double amplitude) {
  const double square = warped * warped;
  const double width = warped / q;
  const double root = std::sqrt(amplitude);
  switch (kind) {
    case BiquadKind::kLowpass: return {.n0 = square, .d1 = width, .d0 = square};
    case BiquadKind::kHighpass: return {.n2 = 1.0, .d1 = width, .d0 = square};
    case BiquadKind::kBandpass: return {.n1 = width, .d1 = width, .d0 = square};
    case BiquadKind::kNotch: return {.n2 = 1.0, .n0 = square, .d1 = width, .d0 = square};
    case BiquadKind::kPeak:
      return {.n2 = 1.0, .n1 = width * amplitude, .n0 = square, .d1 = width / amplitude, .d0 = square};
    case BiquadKind::kLowShelf:
      return {.n2 = 1.0, .n1 = width * root, .n0 = square * amplitude, .d1 = width / root, .d0 = square / amplitude};
    case BiquadKind::kHighShelf:
      return {.n2 = amplitude * amplitude,
              .n1 = width * root * amplitude,
              .n0 = square * amplitude,
              .d1 = width * root,
              .d0 = square * amplitude};
    case BiquadKind::kAllpass: break;
  }
  return {.n2 = 1.0, .n1 = -width, .n0 = square, .d1 = width, .d0 = square};
}

}  // namespace

BiquadSection design_biquad(BiquadKind kind, double normalized_freq, double q, double gain_db) {
  check_between("normalized_freq", normalized_freq, 0.0, 0.5);
  if (!(q > 0.0) || !std::isfinite(q)) {
    throw std::invalid_argument("q must be above 0 and finite, got " + shown(q));
  }
  if (has_gain(kind) && !(std::abs(gain_db) <= kMaxGainDb)) {
    throw std::invalid_argument("gain_db must be in -" + shown(kMaxGainDb) + ".." + shown(kMaxGainDb) + ", got " +
                                shown(gain_db));
  }
  const double amplitude = has_gain(kind) ? std::pow(10.0, gain_db / 40.0) : 1.0;
  const BiquadSection section = bilinear(prototype(kind, prewarped(normalized_freq), q, amplitude));
  if (!is_stable(section)) {
    throw std::invalid_argument("normalized_freq " + shown(normalized_freq) + " with q " + shown(q) +
                                " has poles that float64 cannot tell from the unit circle; take both less extreme");
  }
  return section;
}

}  // namespace neutone::dsp
