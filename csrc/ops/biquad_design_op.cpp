// Adapts dsp/biquad_design.h to tensors. Frequencies come in Hz; whatever is wrong with them is said in Hz.
#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "dsp/biquad_design.h"
#include "ops/registration.h"
#include "ops/tensors.h"

namespace {

using neutone::dsp::BiquadKind;
using neutone::dsp::BiquadSection;
using neutone::dsp::FilterBand;
using neutone::ops::check_memory;
using neutone::ops::check_tensor;
using neutone::ops::new_tensor;
using neutone::ops::ScalarType;
using neutone::ops::Tensor;

constexpr int64_t kColumns = 6;  // SciPy's: b0 b1 b2 a0 a1 a2

Tensor tensor_of(std::span<const BiquadSection> sections) {
  Tensor sos = new_tensor(std::array{static_cast<int64_t>(sections.size()), kColumns}, ScalarType::Double);
  auto* row = sos.mutable_data_ptr<double>();
  for (const auto& [b0, b1, b2, a1, a2] : sections)
    row = std::ranges::copy(std::array{b0, b1, b2, 1.0, a1, a2}, row).out;
  return sos;
}

void check_rate(const char* op, double sample_rate_hz) {
  STD_TORCH_CHECK(sample_rate_hz > 0.0 && std::isfinite(sample_rate_hz), op,
                  ": sample_rate_hz must be above 0 and finite, got ", sample_rate_hz);
}

void check_cutoff(const char* op, const char* name, double cutoff_hz, double sample_rate_hz) {
  const double normalized_freq = cutoff_hz / sample_rate_hz;
  STD_TORCH_CHECK(normalized_freq > 0.0 && normalized_freq < 0.5, op, ": ", name, " must be above 0 and below ",
                  0.5 * sample_rate_hz, " Hz, half of sample_rate_hz, got ", cutoff_hz);
}

// Calls `design`; what it refuses is refused in the name of the operator.
template <typename Design>
auto designed(const char* op, const Design& design) {
  try {
    return design();
  } catch (const std::invalid_argument& error) {
    STD_TORCH_CHECK(false, op, ": ", error.what());
  }
}

// One of the words in `table`, as what stands beside it.
template <typename Value, std::size_t n_words>
Value checked_word(const char* op, const char* name, const std::string& word,
                   const std::array<std::pair<const char*, Value>, n_words>& table) {
  std::string allowed;
  for (const auto& [candidate, value] : table) {
    if (word == candidate) return value;
    allowed += (allowed.empty() ? "" : ", ") + std::string(candidate);
  }
  STD_TORCH_CHECK(false, op, ": ", name, " must be one of ", allowed, ", got ", word);
}

constexpr std::array<std::pair<const char*, BiquadKind>, 8> kBiquadKinds{{{"lowpass", BiquadKind::kLowpass},
                                                                          {"highpass", BiquadKind::kHighpass},
                                                                          {"bandpass", BiquadKind::kBandpass},
                                                                          {"notch", BiquadKind::kNotch},
                                                                          {"peak", BiquadKind::kPeak},
                                                                          {"lowshelf", BiquadKind::kLowShelf},
                                                                          {"highshelf", BiquadKind::kHighShelf},
                                                                          {"allpass", BiquadKind::kAllpass}}};

// One section of the Audio EQ Cookbook -> (1, 6) float64.
Tensor design_biquad(const std::string& kind, double cutoff_hz, double q, double gain_db, double sample_rate_hz) {
  constexpr const char* kOp = "design_biquad";
  const BiquadKind checked_kind = checked_word(kOp, "kind", kind, kBiquadKinds);
  check_rate(kOp, sample_rate_hz);
  check_cutoff(kOp, "cutoff_hz", cutoff_hz, sample_rate_hz);
  return tensor_of(std::array{designed(
      kOp, [&] { return neutone::dsp::design_biquad(checked_kind, cutoff_hz / sample_rate_hz, q, gain_db); })});
}

enum class Family : std::uint8_t { kButterworth, kLinkwitzRiley, kChebyshev1, kChebyshev2 };
constexpr std::array<std::pair<const char*, Family>, 4> kFamilies{{{"butterworth", Family::kButterworth},
                                                                   {"linkwitz_riley", Family::kLinkwitzRiley},
                                                                   {"chebyshev1", Family::kChebyshev1},
                                                                   {"chebyshev2", Family::kChebyshev2}}};
constexpr std::array<std::pair<const char*, FilterBand::Kind>, 4> kBandKinds{
    {{"lowpass", FilterBand::Kind::kLowpass},
     {"highpass", FilterBand::Kind::kHighpass},
     {"bandpass", FilterBand::Kind::kBandpass},
     {"bandstop", FilterBand::Kind::kBandstop}}};

FilterBand checked_band(const char* op, FilterBand::Kind kind, const std::vector<double>& cutoffs_hz,
                        double sample_rate_hz) {
  check_rate(op, sample_rate_hz);
  const bool has_two_edges = kind == FilterBand::Kind::kBandpass || kind == FilterBand::Kind::kBandstop;
  STD_TORCH_CHECK(
      cutoffs_hz.size() == (has_two_edges ? 2 : 1), op, ": cutoffs_hz must hold ",
      has_two_edges ? "two frequencies for bandpass and bandstop" : "one frequency for lowpass and highpass", ", got ",
      cutoffs_hz.size());
  for (const double cutoff_hz : cutoffs_hz) check_cutoff(op, "cutoffs_hz", cutoff_hz, sample_rate_hz);
  const double low = cutoffs_hz.front() / sample_rate_hz;
  const double high = cutoffs_hz.back() / sample_rate_hz;
  STD_TORCH_CHECK(!has_two_edges || low < high, op, ": cutoffs_hz must hold the lower frequency first, got ",
                  cutoffs_hz.front(), " and ", cutoffs_hz.back());
  switch (kind) {
    case FilterBand::Kind::kLowpass: return FilterBand::lowpass(low);
    case FilterBand::Kind::kHighpass: return FilterBand::highpass(low);
    case FilterBand::Kind::kBandpass: return FilterBand::bandpass(low, high);
    case FilterBand::Kind::kBandstop: break;
  }
  return FilterBand::bandstop(low, high);
}

int checked_order(const char* op, int64_t order) {
  STD_TORCH_CHECK(order >= 1 && order <= neutone::dsp::kMaxFilterOrder, op, ": order must be in 1..",
                  neutone::dsp::kMaxFilterOrder, ", got ", order);
  return static_cast<int>(order);
}

// -> (sections, 6) float64. ripple_db is Chebyshev I's ripple in the pass band and Chebyshev II's attenuation in the
// stop band; the other families ignore it.
Tensor design_iir(const std::string& family, const std::string& kind, int64_t order,
                  const std::vector<double>& cutoffs_hz, double ripple_db, double sample_rate_hz) {
  constexpr const char* kOp = "design_iir";
  const Family checked_family = checked_word(kOp, "family", family, kFamilies);
  const FilterBand::Kind checked_kind = checked_word(kOp, "kind", kind, kBandKinds);
  const int poles = checked_order(kOp, order);
  const FilterBand band = checked_band(kOp, checked_kind, cutoffs_hz, sample_rate_hz);
  const bool has_ripple = checked_family == Family::kChebyshev1 || checked_family == Family::kChebyshev2;
  STD_TORCH_CHECK(!has_ripple || (ripple_db > 0.0 && ripple_db <= neutone::dsp::kMaxRippleDb), kOp,
                  ": ripple_db must be above 0 and at most ", neutone::dsp::kMaxRippleDb, " dB, got ", ripple_db);
  return tensor_of(designed(kOp, [&] {
    switch (checked_family) {
      case Family::kButterworth: return neutone::dsp::design_butterworth(band, poles);
      case Family::kLinkwitzRiley: return neutone::dsp::design_linkwitz_riley(band, poles);
      case Family::kChebyshev1: return neutone::dsp::design_chebyshev1(band, poles, ripple_db);
      case Family::kChebyshev2: break;
    }
    return neutone::dsp::design_chebyshev2(band, poles, ripple_db);
  }));
}

// As SciPy does, a0 is divided out.
std::vector<BiquadSection> sections_in(const char* op, const Tensor& sos) {
  check_tensor(op, "sos", sos, 2, ScalarType::Double);
  check_memory(op, "sos", sos, alignof(double));
  STD_TORCH_CHECK(sos.size(1) == kColumns, op, ": sos must have 6 columns, b0 b1 b2 a0 a1 a2, got ", sos.size(1));
  const auto* row = sos.const_data_ptr<double>();
  std::vector<BiquadSection> sections;
  for (int64_t section = 0; section < sos.size(0); ++section, row += kColumns) {
    const double a0 = row[3];
    STD_TORCH_CHECK(a0 != 0.0 && std::isfinite(a0), op, ": sos must have an a0 that is finite and not 0, got ", a0,
                    " in row ", section);
    sections.push_back({row[0] / a0, row[1] / a0, row[2] / a0, row[4] / a0, row[5] / a0});
  }
  return sections;
}

// sos (sections, 6) and frequencies_hz (n,), both float64 -> (n, 2), real and imaginary part.
Tensor sos_response(const Tensor& sos, const Tensor& frequencies_hz, double sample_rate_hz) {
  constexpr const char* kOp = "sos_response";
  const std::vector<BiquadSection> sections = sections_in(kOp, sos);
  check_tensor(kOp, "frequencies_hz", frequencies_hz, 1, ScalarType::Double);
  check_memory(kOp, "frequencies_hz", frequencies_hz, alignof(double));
  check_rate(kOp, sample_rate_hz);
  const int64_t count = frequencies_hz.size(0);
  const auto* frequency_hz = frequencies_hz.const_data_ptr<double>();
  Tensor out = new_tensor(std::array{count, int64_t{2}}, ScalarType::Double);
  auto* const parts = out.mutable_data_ptr<double>();
  for (int64_t i = 0; i < count; ++i) {
    const double normalized_freq = frequency_hz[i] / sample_rate_hz;
    STD_TORCH_CHECK(normalized_freq >= 0.0 && normalized_freq <= 0.5, kOp, ": frequencies_hz must be in 0..",
                    0.5 * sample_rate_hz, " Hz, half of sample_rate_hz, got ", frequency_hz[i]);
    const auto value = neutone::dsp::response(sections, normalized_freq);
    parts[2 * i] = value.real();
    parts[2 * i + 1] = value.imag();
  }
  return out;
}

bool is_first_copy = false;  // see define; NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

}  // namespace

STABLE_TORCH_LIBRARY_FRAGMENT(neutone, m) {
  is_first_copy = neutone::ops::define(
      m, {
             "design_biquad(str kind, float cutoff_hz, float q, float gain_db, float sample_rate_hz) -> Tensor",
             "design_iir(str family, str kind, int order, float[] cutoffs_hz, float ripple_db, float sample_rate_hz) "
             "-> Tensor",
             "sos_response(Tensor sos, Tensor frequencies_hz, float sample_rate_hz) -> Tensor",
         });
}

STABLE_TORCH_LIBRARY_IMPL(neutone, CompositeExplicitAutograd, m) {
  if (!is_first_copy) return;
  m.impl("design_biquad", neutone::ops::boxed<&design_biquad>);
  m.impl("design_iir", neutone::ops::boxed<&design_iir>);
  m.impl("sos_response", neutone::ops::boxed<&sos_response>);
}
