#include "fir_design.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

#include "fir_plan.h"
#include "kaiser.h"

namespace neutone::dsp {
namespace {

// torch.kaiser_window's own default.
constexpr double kBeta = 12.0;
constexpr double kNyquist = 0.5;

[[noreturn]] void refuse(const std::string& requirement, double value) {
  std::ostringstream message;
  message << requirement << ", got " << value;
  throw std::invalid_argument(message.str());
}

void check_cutoffs(FirKind kind, std::span<const double> cutoffs) {
  if (cutoffs.size() != count_cutoffs(kind)) {
    refuse("normalized_cutoffs must be " + std::to_string(count_cutoffs(kind)) + " for this kind",
           static_cast<double>(cutoffs.size()));
  }
  for (const double cutoff : cutoffs) {
    const bool is_inside = cutoff > 0.0 && cutoff < kNyquist;  // NaN is not
    if (!is_inside) refuse("normalized_cutoffs must be above 0 and below 0.5", cutoff);
  }
  if (cutoffs.size() == 2 && cutoffs[0] >= cutoffs[1]) {
    refuse("normalized_cutoffs must rise: the second be above " + std::to_string(cutoffs[0]), cutoffs[1]);
  }
}

void check_length(std::int64_t n_taps) {
  if (n_taps % 2 == 1 && n_taps >= 1 && std::cmp_less_equal(n_taps, kMaxFirTaps)) return;
  throw std::invalid_argument("n_taps must be odd and in 1.." + std::to_string(kMaxFirTaps - 1) +
                              ", so that the delay is a whole number of samples; got " + std::to_string(n_taps));
}

// The ideal filter: everything below `cutoff` passes.
double ideal_lowpass(double cutoff, double time) { return 2.0 * cutoff * sinc(2.0 * cutoff * time); }

double ideal(FirKind kind, std::span<const double> cutoffs, double time) {
  const double impulse = time == 0.0 ? 1.0 : 0.0;
  switch (kind) {
    case FirKind::kHighpass: return impulse - ideal_lowpass(cutoffs[0], time);
    case FirKind::kBandpass: return ideal_lowpass(cutoffs[1], time) - ideal_lowpass(cutoffs[0], time);
    case FirKind::kBandstop: return impulse - ideal_lowpass(cutoffs[1], time) + ideal_lowpass(cutoffs[0], time);
    case FirKind::kLowpass: break;
  }
  return ideal_lowpass(cutoffs[0], time);
}

double unit_gain_freq(FirKind kind, std::span<const double> cutoffs) {
  if (kind == FirKind::kHighpass) return kNyquist;
  return kind == FirKind::kBandpass ? 0.5 * (cutoffs[0] + cutoffs[1]) : 0.0;
}

// exp(-2 pi i freq n). Whole turns are taken off before the sine sees them.
std::complex<double> turned(double normalized_freq, double frame) {
  const double turns = normalized_freq * frame;
  return std::polar(1.0, -2.0 * std::numbers::pi * (turns - std::floor(turns)));
}

}  // namespace

FirKind fir_kind(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, FirKind>, 4> kKinds{{{"lowpass", FirKind::kLowpass},
                                                                        {"highpass", FirKind::kHighpass},
                                                                        {"bandpass", FirKind::kBandpass},
                                                                        {"bandstop", FirKind::kBandstop}}};
  for (const auto& [known, kind] : kKinds) {
    if (name == known) return kind;
  }
  throw std::invalid_argument("kind must be lowpass, highpass, bandpass or bandstop, got " + std::string(name));
}

std::size_t count_cutoffs(FirKind kind) noexcept {
  return kind == FirKind::kBandpass || kind == FirKind::kBandstop ? 2 : 1;
}

std::vector<double> design_fir(FirKind kind, std::span<const double> normalized_cutoffs, std::int64_t n_taps) {
  check_cutoffs(kind, normalized_cutoffs);
  check_length(n_taps);
  const std::int64_t delay = n_taps / 2;
  const auto middle = static_cast<double>(delay);
  std::vector<double> taps(static_cast<std::size_t>(n_taps));
  for (std::size_t i = 0; i < taps.size(); ++i) {
    const double time = static_cast<double>(i) - middle;
    const double relative = middle > 0.0 ? time / middle : 0.0;
    taps[i] = ideal(kind, normalized_cutoffs, time) * kaiser_window(kBeta, relative);
  }
  // The response of a symmetric filter is real, but for its delay.
  const double freq = unit_gain_freq(kind, normalized_cutoffs);
  const double gain = (frequency_response(taps, freq) / turned(freq, middle)).real();
  std::ranges::for_each(taps, [gain](double& tap) { tap /= gain; });
  return taps;
}

std::complex<double> frequency_response(std::span<const double> taps, double normalized_freq) noexcept {
  std::complex<double> sum;
  for (std::size_t i = 0; i < taps.size(); ++i) sum += taps[i] * turned(normalized_freq, static_cast<double>(i));
  return sum;
}

}  // namespace neutone::dsp
