// Adapts dsp::BiquadView to tensors.
#include <array>
#include <cmath>
#include <span>

#include "dsp/biquad.h"
#include "ops/registration.h"
#include "ops/tensors.h"

namespace {

using neutone::dsp::BiquadSection;
using neutone::dsp::BiquadView;
using neutone::dsp::Planar;
using neutone::ops::check_memory;
using neutone::ops::check_tensor;
using neutone::ops::new_frames;
using neutone::ops::NewFrames;
using neutone::ops::readable_frames;
using neutone::ops::ScalarType;
using neutone::ops::Tensor;

constexpr std::size_t kMaxSections = 64;

// Sections without an allocation.
struct Sections {
  std::array<BiquadSection, kMaxSections> all{};
  std::size_t count = 0;

  [[nodiscard]] std::span<const BiquadSection> span() const { return std::span(all).first(count); }
};

BiquadSection checked_section(const char* op, int64_t row, const double* numbers) {
  const double a0 = numbers[3];
  STD_TORCH_CHECK(a0 != 0.0, op, ": row ", row, " of sos has a0 = 0; it divides all others");
  const BiquadSection section{numbers[0] / a0, numbers[1] / a0, numbers[2] / a0, numbers[4] / a0, numbers[5] / a0};
  STD_TORCH_CHECK(std::isfinite(section.b0 + section.b1 + section.b2 + section.a1 + section.a2), op, ": row ", row,
                  " of sos is not finite");
  STD_TORCH_CHECK(is_stable(section), op, ": row ", row, " of sos is unstable (a1 = ", section.a1,
                  ", a2 = ", section.a2, "); its poles must lie inside the unit circle");
  return section;
}

// sos (sections, 6) float64, in SciPy's order: b0 b1 b2 a0 a1 a2.
Sections checked_sections(const char* op, const Tensor& sos) {
  check_tensor(op, "sos", sos, 2, ScalarType::Double);
  check_memory(op, "sos", sos, alignof(double));
  STD_TORCH_CHECK(sos.size(1) == 6, op, ": sos must have 6 columns, got ", sos.size(1));
  STD_TORCH_CHECK(std::cmp_less_equal(sos.size(0), kMaxSections), op, ": sos must have at most ", kMaxSections,
                  " rows, got ", sos.size(0));
  Sections sections;
  const auto* numbers = sos.const_data_ptr<double>();
  for (int64_t row = 0; row < sos.size(0); ++row, numbers += 6) {
    sections.all[sections.count++] = checked_section(op, row, numbers);
  }
  return sections;
}

// Filters a block: audio (channels, n), state (channels, sections, 2) float64, zeros for a fresh start.
Tensor biquad(const Tensor& audio, const Tensor& sos, const Tensor& state) {
  constexpr const char* kOp = "biquad";
  const Planar<const float> in = readable_frames(kOp, "audio", audio);
  const Sections sections = checked_sections(kOp, sos);
  check_tensor(kOp, "state", state, 3, ScalarType::Double);
  check_memory(kOp, "state", state, alignof(double));
  STD_TORCH_CHECK(
      std::cmp_equal(state.size(0), in.channels) && std::cmp_equal(state.size(1), sections.count) && state.size(2) == 2,
      kOp, ": state must have shape (", in.channels, ", ", sections.count, ", 2), got (", state.size(0), ", ",
      state.size(1), ", ", state.size(2), ")");
  NewFrames out = new_frames(in.channels, in.frames);
  BiquadView filter(sections.span(), state.mutable_data_ptr<double>(), in.channels);
  filter.process(in, out.frames);
  return std::move(out.tensor);
}

bool is_first_copy = false;  // see define; NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

}  // namespace

STABLE_TORCH_LIBRARY_FRAGMENT(neutone, m) {
  is_first_copy = neutone::ops::define(m, {"biquad(Tensor audio, Tensor sos, Tensor(a!) state) -> Tensor"});
}

STABLE_TORCH_LIBRARY_IMPL(neutone, CompositeExplicitAutograd, m) {
  if (!is_first_copy) return;
  m.impl("biquad", neutone::ops::boxed<&biquad>);
}
