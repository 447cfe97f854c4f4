#include "dsp/resampler_design.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <stdexcept>
#include <string>

namespace neutone::dsp {
namespace {

// Kaiser's windowed-sinc low-pass: J. F. Kaiser, "Nonrecursive digital filter design using the I0-sinh window
// function", Proc. IEEE ISCAS 1974, pp. 20-23; also Oppenheim and Schafer, "Discrete-Time Signal Processing",
// section 7.5.3. For an attenuation of A dB beyond the stop edge it takes the window's shape and the width of the
// transition from
//
//   beta  = 0.1102 (A - 8.7),   width = (A - 7.95) / (14.36 * 2 * half_width)
//
// Lengths are in frames of the lower of the two rates, frequencies in its cycles per frame; where the input has the
// higher rate, the kernel is that much longer.
struct Kernel {
  double half_width;
  double attenuation_db;
  double stop_edge;

  [[nodiscard]] double beta() const { return 0.1102 * (attenuation_db - 8.7); }
  [[nodiscard]] double cutoff() const { return stop_edge - 0.5 * (attenuation_db - 7.95) / (14.36 * 2.0 * half_width); }
};

// In numbers for 44.1 kHz as the lower rate: standard keeps up to 20 kHz and stops from 24.1 kHz on, the image of that;
// high keeps up to 21 and stops from 23.1 kHz; low latency keeps up to 18.6 and stops from 26.5 kHz.
constexpr Kernel kernel_of(ResamplerQuality quality) {
  switch (quality) {
    case ResamplerQuality::kLowLatency: return {.half_width = 16.0, .attenuation_db = 90.0, .stop_edge = 0.6};
    case ResamplerQuality::kHigh: return {.half_width = 124.0, .attenuation_db = 170.0, .stop_edge = 23.1 / 44.1};
    case ResamplerQuality::kStandard: break;
  }
  return {.half_width = 44.0, .attenuation_db = 130.0, .stop_edge = 24.1 / 44.1};
}

// A larger table of phases, 2 MB of float32, is replaced by an interpolated one.
constexpr std::size_t kMaxExactCoefficients = std::size_t{1} << 19U;
// Cubic interpolation between p phases is off by at most 3/128 (w/p)^4 at w radians per frame (the error term of
// Lagrange's formula), w < 3: 7e-9, -163 dB, for 128, and another -24 dB for each doubling. A stretched kernel has that
// much less bandwidth and takes that many fewer phases, so these tables stay small.
constexpr std::size_t kInterpolatedPhases = 128;
constexpr std::size_t kInterpolatedPhasesHigh = 512;

// Modified Bessel function of the first kind, order 0: sum of ((x/2)^k / k!)^2.
double bessel_i0(double x) {
  double sum = 1.0;
  double term = 1.0;
  for (int k = 1; term > 1e-18 * sum; ++k) {
    const double factor = 0.5 * x / k;
    term *= factor * factor;
    sum += term;
  }
  return sum;
}

double sinc(double x) {
  const double angle = std::numbers::pi * x;
  return std::abs(x) < 1e-9 ? 1.0 : std::sin(angle) / angle;
}

// But for a factor: each row is scaled to a sum of 1.
double value_at(const Kernel& kernel, double time, double stretch) {
  const double relative = time / (kernel.half_width * stretch);
  if (std::abs(relative) >= 1.0) return 0.0;
  return sinc(2.0 * kernel.cutoff() * time / stretch) * bessel_i0(kernel.beta() * std::sqrt(1.0 - relative * relative));
}

double stretch_of(const ResamplerPlan& plan) {
  return std::max(1.0, static_cast<double>(plan.down) / static_cast<double>(plan.up));
}

void check_rate(const char* name, std::int64_t rate_hz) {
  if (rate_hz >= 1 && rate_hz <= kMaxRateHz) return;
  throw std::invalid_argument(std::string(name) + " must be in 1.." + std::to_string(kMaxRateHz) + " Hz, got " +
                              std::to_string(rate_hz));
}

}  // namespace

ResamplerPlan plan_resampler(std::int64_t from_hz, std::int64_t to_hz, ResamplerQuality quality) {
  check_rate("from_hz", from_hz);
  check_rate("to_hz", to_hz);
  if (std::max(from_hz, to_hz) > kMaxRateRatio * std::min(from_hz, to_hz)) {
    throw std::invalid_argument("from_hz and to_hz may differ by a factor of at most " + std::to_string(kMaxRateRatio) +
                                ", got " + std::to_string(from_hz) + " and " + std::to_string(to_hz));
  }
  ResamplerPlan plan;
  if (from_hz == to_hz) return plan;
  const std::int64_t divisor = std::gcd(from_hz, to_hz);
  plan.up = to_hz / divisor;
  plan.down = from_hz / divisor;
  plan.half_taps = static_cast<std::size_t>(std::ceil(kernel_of(quality).half_width * stretch_of(plan)));
  plan.taps = (2 * plan.half_taps + kTapsMultiple - 1) / kTapsMultiple * kTapsMultiple;
  plan.rows = static_cast<std::size_t>(plan.up);
  if (plan.rows * plan.taps > kMaxExactCoefficients) {
    const auto phases = quality == ResamplerQuality::kHigh ? kInterpolatedPhasesHigh : kInterpolatedPhases;
    const auto stretched = static_cast<std::size_t>(std::ceil(static_cast<double>(phases) / stretch_of(plan)));
    plan.rows = std::min(plan.rows, stretched + kExtraRows);
  }
  return plan;
}

std::vector<double> design_resampler(const ResamplerPlan& plan, ResamplerQuality quality) {
  if (plan.is_wire()) return {1.0};
  const Kernel kernel = kernel_of(quality);
  const double stretch = stretch_of(plan);
  const auto phases = static_cast<double>(plan.is_exact() ? plan.rows : plan.rows - kExtraRows);
  const double first_phase = plan.is_exact() ? 1.0 : -1.0;
  std::vector<double> table(plan.rows * plan.taps);
  for (std::size_t row = 0; row < plan.rows; ++row) {
    double* const coefficients = table.data() + row * plan.taps;
    // The output frame lies between the two frames in the middle of the window, at `phase` of their distance.
    const double phase = (static_cast<double>(row) + first_phase) / phases;
    double sum = 0.0;
    for (std::size_t tap = 0; tap < plan.taps; ++tap) {
      const auto frames_before_end = static_cast<double>(plan.taps - 1 - tap);
      const double time = frames_before_end - static_cast<double>(plan.half_taps) + phase;
      coefficients[tap] = value_at(kernel, time, stretch);
      sum += coefficients[tap];
    }
    // Constants stay what they are, at every phase.
    std::for_each(coefficients, coefficients + plan.taps, [sum](double& value) { value /= sum; });
  }
  return table;
}

}  // namespace neutone::dsp
