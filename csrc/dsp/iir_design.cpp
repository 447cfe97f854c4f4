#include <algorithm>
#include <cmath>
#include <complex>
#include <iterator>
#include <numbers>
#include <stdexcept>
#include <string>
#include <vector>

#include "analog_section.h"
#include "argument_range.h"
#include "biquad_design.h"

namespace neutone::dsp {
namespace {

using Complex = std::complex<double>;
using Kind = FilterBand::Kind;

// The analog low-pass filter with its edge at s = j that a family stands for. Formulas: L. R. Rabiner and B. Gold,
// Theory and Application of Digital Signal Processing, 1975, section 4.5; also A. V. Oppenheim and R. W. Schafer,
// Discrete-Time Signal Processing, appendix B.
struct Prototype {
  // One of each conjugate pair of poles, above the real axis, and the zero on the imaginary axis that lies nearest; 0
  // stands for one at infinity.
  struct Pair {
    Complex pole;
    double zero;
  };

  std::vector<Pair> pairs;
  double real_pole = 0.0;  // the distance of the one on the negative axis, if the order is odd
  double gain = 1.0;       // at s = 0
};

// Angles from the imaginary axis to one pole of each pair, the farthest first: these have the lowest resonance.
std::vector<double> pole_angles(int order) {
  std::vector<double> angles;
  for (int k = order / 2; k > 0; --k) angles.push_back(std::numbers::pi * (2.0 * k - 1.0) / (2.0 * order));
  return angles;
}

// Poles on an ellipse with the half axes `width` and `height`.
Prototype ellipse_of_poles(int order, double width, double height) {
  Prototype prototype;
  for (const double angle : pole_angles(order)) {
    prototype.pairs.push_back({{-width * std::sin(angle), height * std::cos(angle)}, 0.0});
  }
  if (order % 2 == 1) prototype.real_pole = width;
  return prototype;
}

// 10^(db/10) - 1, the noise power that a loss of `db` stands for, and also for very little of it.
double excess_power(double db) { return std::expm1(db * std::numbers::ln10 / 10.0); }

Prototype butterworth(int order) { return ellipse_of_poles(order, 1.0, 1.0); }

Prototype chebyshev1(int order, double ripple_db) {
  const double axis = std::asinh(1.0 / std::sqrt(excess_power(ripple_db))) / order;
  Prototype prototype = ellipse_of_poles(order, std::sinh(axis), std::cosh(axis));
  if (order % 2 == 0) prototype.gain = std::pow(10.0, -ripple_db / 20.0);
  return prototype;
}

// The other one's poles, mirrored at the unit circle, and zeros where its ripple touches 0 there.
Prototype chebyshev2(int order, double attenuation_db) {
  const double axis = std::asinh(std::sqrt(excess_power(attenuation_db))) / order;
  Prototype prototype;
  for (const double angle : pole_angles(order)) {
    const Complex mirrored(-std::sinh(axis) * std::sin(angle), std::cosh(axis) * std::cos(angle));
    prototype.pairs.push_back({mirrored / std::norm(mirrored), 1.0 / std::cos(angle)});
  }
  if (order % 2 == 1) prototype.real_pole = 1.0 / std::sinh(axis);
  return prototype;
}

// The band's edges on the analog axis.
struct Edges {
  double low;
  double center;  // the geometric mean
  double width;

  explicit Edges(const FilterBand& band)
      : low(prewarped(band.low_normalized_freq())),
        center(std::sqrt(low * prewarped(band.high_normalized_freq()))),
        width(prewarped_difference(band.low_normalized_freq(), band.high_normalized_freq())) {}
};

// Where s^2 - width root s + center^2 = 0: from a root of the prototype, or its reciprocal, these are the two of a band
// filter. The farther one has a sum without cancellation, the product of both gives the nearer one.
struct BandRoots {
  Complex outer;
  Complex inner;

  BandRoots(Complex root, const Edges& edges) {
    const Complex half = 0.5 * edges.width * root;
    const Complex difference = std::sqrt(half * half - edges.center * edges.center);
    outer = half + (std::real(std::conj(half) * difference) >= 0.0 ? difference : -difference);
    inner = edges.center * edges.center / outer;
  }
};

// The denominator is that of a conjugate pair of poles.
AnalogSection with_poles(Complex pole, double n2, double n0) {
  return {.n2 = n2, .n0 = n0, .d1 = -2.0 * pole.real(), .d0 = std::norm(pole)};
}

// s -> s / edge, with gain 1 at s = 0.
AnalogSection lowpass(const Prototype::Pair& pair, double edge) {
  const Complex pole = edge * pair.pole;
  if (pair.zero == 0.0) return with_poles(pole, 0.0, std::norm(pole));
  return with_poles(pole, std::norm(pair.pole) / (pair.zero * pair.zero), std::norm(pole));
}

// s -> edge / s, with gain 1 at infinity.
AnalogSection highpass(const Prototype::Pair& pair, double edge) {
  const double zero = pair.zero == 0.0 ? 0.0 : edge / pair.zero;
  return with_poles(edge / pair.pole, 1.0, zero * zero);
}

// s -> (s^2 + center^2) / (width s): for each pair two, on either side of the center, where both have gain 1. With the
// prototype's root p and the new ones r, |(jc)^2 - 2 Re(r) jc + |r|^2| = width |p| |r|. Zeros at 0 go with the poles
// nearer to 0, those at infinity with the others.
void add_bandpass(const Prototype::Pair& pair, const Edges& edges, std::vector<AnalogSection>& sections) {
  const BandRoots poles(pair.pole, edges);
  if (pair.zero == 0.0) {
    const double both = edges.width * std::abs(pair.pole);
    sections.push_back(with_poles(poles.inner, both * std::abs(poles.inner) / (edges.center * edges.center), 0.0));
    sections.push_back(with_poles(poles.outer, 0.0, both * std::abs(poles.outer)));
    return;
  }
  const BandRoots zeros({0.0, pair.zero}, edges);
  for (const auto& [pole, zero] : {std::pair(poles.inner, zeros.inner), std::pair(poles.outer, zeros.outer)}) {
    const double gain = std::abs(pair.pole) * std::abs(pole) / (pair.zero * std::abs(zero));
    sections.push_back(with_poles(pole, gain, gain * std::norm(zero)));
  }
}

// s -> width s / (s^2 + center^2): as before with the reciprocals of the prototype's roots, and one at infinity becomes
// two at the center. The gain at 0 is 1, that at infinity is in both together.
void add_bandstop(const Prototype::Pair& pair, const Edges& edges, std::vector<AnalogSection>& sections) {
  const BandRoots poles(pair.pole / std::norm(pair.pole), edges);
  const BandRoots zeros({0.0, pair.zero == 0.0 ? 0.0 : 1.0 / pair.zero}, edges);
  for (const auto& [pole, zero] : {std::pair(poles.inner, zeros.inner), std::pair(poles.outer, zeros.outer)}) {
    sections.push_back(with_poles(pole, std::norm(pole) / std::norm(zero), std::norm(pole)));
  }
}

void add_pair(const Prototype::Pair& pair, const FilterBand& band, const Edges& edges,
              std::vector<AnalogSection>& sections) {
  switch (band.kind()) {
    case Kind::kLowpass: sections.push_back(lowpass(pair, edges.low)); break;
    case Kind::kHighpass: sections.push_back(highpass(pair, edges.low)); break;
    case Kind::kBandpass: add_bandpass(pair, edges, sections); break;
    case Kind::kBandstop: add_bandstop(pair, edges, sections); break;
  }
}

// The pole at -distance and its zero at infinity, likewise. Of a band filter both new poles are in one section, whether
// they are a pair or real.
BiquadSection real_pole_section(double distance, const FilterBand& band, const Edges& edges) {
  const double square = edges.center * edges.center;
  switch (band.kind()) {
    case Kind::kLowpass: return bilinear_first_order({.n0 = distance * edges.low, .d0 = distance * edges.low});
    case Kind::kHighpass: return bilinear_first_order({.n1 = 1.0, .d0 = edges.low / distance});
    case Kind::kBandpass: return bilinear({.n1 = distance * edges.width, .d1 = distance * edges.width, .d0 = square});
    case Kind::kBandstop: break;
  }
  return bilinear({.n2 = 1.0, .n0 = square, .d1 = edges.width / distance, .d0 = square});
}

// Sections of lower resonance first. Both of a band filter that stem from one pair follow each other: between them a
// wide band-stop filter has lost what lies above the band, and further sections of that kind would lose the rest of its
// digits.
std::vector<BiquadSection> digital(const Prototype& prototype, const FilterBand& band) {
  const Edges edges(band);
  std::vector<AnalogSection> analog;
  for (const Prototype::Pair& pair : prototype.pairs) add_pair(pair, band, edges, analog);
  std::vector<BiquadSection> sections;
  if (prototype.real_pole != 0.0) sections.push_back(real_pole_section(prototype.real_pole, band, edges));
  std::ranges::transform(analog, std::back_inserter(sections), bilinear);
  if (!std::ranges::all_of(sections, is_stable)) {
    throw std::invalid_argument("the band from " + shown(band.low_normalized_freq()) + " to " +
                                shown(band.high_normalized_freq()) +
                                " has poles that float64 cannot tell from the unit circle; take a wider band, a lower "
                                "order or less ripple");
  }
  for (double* const coefficient : {&sections[0].b0, &sections[0].b1, &sections[0].b2}) *coefficient *= prototype.gain;
  return sections;
}

void check_order(int order) {
  if (order >= 1 && order <= kMaxFilterOrder) return;
  throw std::invalid_argument("order must be in 1.." + std::to_string(kMaxFilterOrder) + ", got " +
                              std::to_string(order));
}

void check_decibels(const char* name, double value_db) {
  if (value_db > 0.0 && value_db <= kMaxRippleDb) return;
  throw std::invalid_argument(std::string(name) + " must be above 0 and at most " + shown(kMaxRippleDb) + " dB, got " +
                              shown(value_db));
}

}  // namespace

FilterBand::FilterBand(Kind kind, double low, double high) : kind_(kind), low_(low), high_(high) {
  check_between(has_two_edges() ? "low" : "cutoff", low, 0.0, 0.5);
  check_between("high", high, 0.0, 0.5);
  if (has_two_edges() && low >= high) {
    throw std::invalid_argument("low must be below high, got " + shown(low) + " and " + shown(high));
  }
}

std::vector<BiquadSection> design_butterworth(const FilterBand& band, int order) {
  check_order(order);
  return digital(butterworth(order), band);
}

std::vector<BiquadSection> design_linkwitz_riley(const FilterBand& band, int order) {
  if (order < 2 || order > kMaxFilterOrder || order % 2 != 0) {
    throw std::invalid_argument("order must be even and in 2.." + std::to_string(kMaxFilterOrder) + ", got " +
                                std::to_string(order));
  }
  if (band.has_two_edges()) throw std::invalid_argument("band must be lowpass or highpass for Linkwitz-Riley");
  const Prototype half = butterworth(order / 2);
  Prototype both;
  // Two real poles are a section of second order, too.
  if (half.real_pole != 0.0) both.pairs.push_back({-half.real_pole, 0.0});
  for (const Prototype::Pair& pair : half.pairs) both.pairs.insert(both.pairs.end(), 2, pair);
  return digital(both, band);
}

std::vector<BiquadSection> design_chebyshev1(const FilterBand& band, int order, double ripple_db) {
  check_order(order);
  check_decibels("ripple_db", ripple_db);
  return digital(chebyshev1(order, ripple_db), band);
}

std::vector<BiquadSection> design_chebyshev2(const FilterBand& band, int order, double attenuation_db) {
  check_order(order);
  check_decibels("attenuation_db", attenuation_db);
  return digital(chebyshev2(order, attenuation_db), band);
}

}  // namespace neutone::dsp
