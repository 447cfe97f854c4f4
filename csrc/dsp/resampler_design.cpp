#include "resampler_design.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <string>

#include "kaiser.h"

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
// high keeps up to 21 and stops from 23.1 kHz; low latency keeps up to 18 and stops from 27 kHz. Standard's length is
// the least that gives -0.001 dB at 20 kHz and -125 dB at 24.1 kHz; with four frames of padding it fills 88 taps.
constexpr Kernel kernel_of(ResamplerQuality quality) {
  switch (quality) {
    case ResamplerQuality::kLowLatency: return {.half_width = 14.0, .attenuation_db = 90.0, .stop_edge = 27.0 / 44.1};
    case ResamplerQuality::kHigh: return {.half_width = 124.0, .attenuation_db = 170.0, .stop_edge = 23.1 / 44.1};
    case ResamplerQuality::kStandard: break;
  }
  return {.half_width = 42.0, .attenuation_db = 126.2, .stop_edge = 24.09 / 44.1};
}

// A larger table of phases, 2 MB of float32, is replaced by an interpolated one.
constexpr std::size_t kMaxExactCoefficients = std::size_t{1} << 19U;
// Cubic interpolation between p phases is off by at most 3/128 (w/p)^4 at w radians per frame (the error term of
// Lagrange's formula), w < 3: 7e-9, -163 dB, for 128, and another -24 dB for each doubling. A stretched kernel has that
// much less bandwidth and takes that many fewer phases, so these tables stay small.
constexpr std::size_t kInterpolatedPhases = 128;
constexpr std::size_t kInterpolatedPhasesHigh = 512;

// But for a factor: each row is scaled to a sum of 1.
double value_at(const Kernel& kernel, double time, double stretch) {
  const double relative = time / (kernel.half_width * stretch);
  if (std::abs(relative) >= 1.0) return 0.0;
  return sinc(2.0 * kernel.cutoff() * time / stretch) * kaiser_window(kernel.beta(), relative);
}

double stretch_of(const ResamplerPlan& plan) {
  return std::max(1.0, static_cast<double>(plan.down) / static_cast<double>(plan.up));
}

void check_rate(const char* name, std::int64_t rate_hz) {
  if (rate_hz >= 1 && rate_hz <= kMaxRateHz) return;
  throw std::invalid_argument(std::string(name) + " must be in 1.." + std::to_string(kMaxRateHz) + " Hz, got " +
                              std::to_string(rate_hz));
}

// A table of fewer rows is repeated until its groups are full.
constexpr std::int64_t kShortPeriod = 64;

std::int64_t period_of(std::int64_t up) {
  constexpr auto kGroup = static_cast<std::int64_t>(kGroupRows);
  return up < kShortPeriod ? std::lcm(up, kGroup) : up;
}

std::size_t rounded_up(std::size_t count, std::size_t multiple) { return (count + multiple - 1) / multiple * multiple; }

// Writes the 2 * half_taps coefficients of an output frame that lies between the two in the middle of its window, at
// `phase` of their distance. Their sum is 1: constants stay what they are, at every phase.
void design_row(const Kernel& kernel, const ResamplerPlan& plan, double phase, double* coefficients) {
  const double stretch = stretch_of(plan);
  const std::size_t count = 2 * plan.half_taps;
  double sum = 0.0;
  for (std::size_t tap = 0; tap < count; ++tap) {
    const double time = static_cast<double>(plan.half_taps) - 1.0 - static_cast<double>(tap) + phase;
    coefficients[tap] = value_at(kernel, time, stretch);
    sum += coefficients[tap];
  }
  std::for_each(coefficients, coefficients + count, [sum](double& value) { value /= sum; });
}

}  // namespace

ResamplerPlan plan_exact_resampler(std::int64_t from_hz, std::int64_t to_hz, ResamplerQuality quality) {
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
  // By so many frames the window of a group's last row may lie behind that of its first.
  const std::int64_t farthest = (plan.up - 1 + static_cast<std::int64_t>(kGroupRows - 1) * plan.down) / plan.up;
  plan.taps = rounded_up(2 * plan.half_taps + static_cast<std::size_t>(farthest), kTapsMultiple);
  plan.rows = rounded_up(static_cast<std::size_t>(period_of(plan.up)), kGroupRows);
  return plan;
}

ResamplerPlan plan_resampler(std::int64_t from_hz, std::int64_t to_hz, ResamplerQuality quality) {
  ResamplerPlan plan = plan_exact_resampler(from_hz, to_hz, quality);
  if (plan.rows * plan.taps <= kMaxExactCoefficients) return plan;
  const auto phases = quality == ResamplerQuality::kHigh ? kInterpolatedPhasesHigh : kInterpolatedPhases;
  const auto stretched = static_cast<std::size_t>(std::ceil(static_cast<double>(phases) / stretch_of(plan)));
  if (std::cmp_greater_equal(stretched + kExtraRows, plan.up)) return plan;
  plan.rows = stretched + kExtraRows;
  plan.taps = rounded_up(2 * plan.half_taps, kTapsMultiple);
  return plan;
}

std::vector<double> design_resampler(const ResamplerPlan& plan, ResamplerQuality quality) {
  if (plan.is_wire()) return {1.0};
  const Kernel kernel = kernel_of(quality);
  std::vector<double> table(plan.rows * plan.taps);
  if (!plan.is_exact()) {
    const auto phases = static_cast<double>(plan.rows - kExtraRows);
    for (std::size_t row = 0; row < plan.rows; ++row) {
      design_row(kernel, plan, (static_cast<double>(row) - 1.0) / phases, table.data() + row * plan.taps);
    }
    return table;
  }
  for (std::int64_t row = 0; row < plan.period(); ++row) {
    const std::int64_t position = row * plan.down;  // in steps of 1/up frames
    const std::int64_t group_position = (row - row % static_cast<std::int64_t>(kGroupRows)) * plan.down;
    const std::int64_t frames_behind_first = position / plan.up - group_position / plan.up;
    const double phase = static_cast<double>(position % plan.up + 1) / static_cast<double>(plan.up);
    const auto first = static_cast<std::size_t>(row) * plan.taps + static_cast<std::size_t>(frames_behind_first);
    design_row(kernel, plan, phase, table.data() + first);
  }
  return table;
}

}  // namespace neutone::dsp
