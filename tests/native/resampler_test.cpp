#include "dsp/resampler.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "buffer.h"
#include "check.h"
#include "compare.h"
#include "resamplers.h"
#include "signals.h"

using namespace neutone::test;  // NOLINT(google-build-using-namespace): all of it is for these tests
using neutone::dsp::design_resampler;
using neutone::dsp::FilterRun;
using neutone::dsp::plan_exact_resampler;
using neutone::dsp::plan_resampler;
using neutone::dsp::Planar;

namespace {

// An exact table, looked at through the definition of its rows.
class SlowResampler {
 public:
  SlowResampler(const ResamplerPlan& plan, ResamplerQuality quality)
      : plan_(plan), table_(design_resampler(plan, quality)), rows_(static_cast<std::size_t>(plan.up)) {
    for (std::int64_t row = 0; row < plan.up; ++row) rows_[static_cast<std::size_t>(row * plan.down % plan.up)] = row;
  }

  // Every coefficient times its frame, oldest first, in double.
  [[nodiscard]] double sum(const Buffer& in, std::size_t frame) const {
    const std::int64_t position = static_cast<std::int64_t>(frame) * plan_.down + plan_.down - 1;
    const std::int64_t row = rows_[static_cast<std::size_t>(position % plan_.up)];
    const std::int64_t first_row = row - row % 4;
    const std::int64_t first_tap = row * plan_.down / plan_.up - first_row * plan_.down / plan_.up;
    const double* const coefficients = table_.data() + row * static_cast<std::int64_t>(plan_.taps) + first_tap;
    const auto count = static_cast<std::int64_t>(2 * plan_.half_taps);
    double sum = 0.0;
    for (std::int64_t tap = 0; tap < count; ++tap) {
      const std::int64_t index = position / plan_.up + 1 - count + tap;
      if (index >= 0)
        sum += coefficients[tap] * static_cast<double>(at(in.planar(), 0, static_cast<std::size_t>(index)));
    }
    return sum;
  }

 private:
  ResamplerPlan plan_;
  std::vector<double> table_;
  std::vector<std::int64_t> rows_;  // by phase
};

template <typename Real>
void check_sums(const Rates& rates, ResamplerQuality quality, double tolerance) {
  Resampler<Real> resampler(rates.from_hz, rates.to_hz, quality, 1);
  if (!resampler.plan().is_exact()) return;
  const SlowResampler slow(resampler.plan(), quality);
  const Buffer in = noise(1, 9000);
  const Buffer out = resampled(resampler, in.planar());
  for (std::size_t frame = 0; frame < out.planar().frames; ++frame) {
    CHECK(std::abs(static_cast<double>(at(out.planar(), 0, frame)) - slow.sum(in, frame)) <= tolerance);
  }
}

void the_output_is_the_sum_of_products() {
  // White noise of up to 1 gives up to about 2; coefficients, products' sums and result are rounded to float.
  constexpr double kFloatSums = 2e-6;
  constexpr double kFloatResult = 0x1p-23;
  for (const Rates& rates : kRates) {
    check_sums<float>(rates, ResamplerQuality::kLowLatency, kFloatSums);
    check_sums<float>(rates, ResamplerQuality::kStandard, kFloatSums);
    check_sums<double>(rates, ResamplerQuality::kHigh, kFloatResult);
  }
}

void an_interpolated_table_gives_what_an_exact_one_would() {
  // 1e-8 of the interpolation times the sum of up to 88 frames' magnitudes; float rounding as above.
  constexpr double kInterpolation = 3e-6;
  CHECK(!plan_resampler(44'100, 47'999, ResamplerQuality::kStandard).is_exact());
  const SlowResampler exact(plan_exact_resampler(44'100, 47'999, ResamplerQuality::kStandard),
                            ResamplerQuality::kStandard);
  Resampler<float> resampler(44'100, 47'999, ResamplerQuality::kStandard, 1);
  const Buffer in = noise(1, 9000);
  const Buffer out = resampled(resampler, in.planar());
  for (std::size_t frame = 0; frame < out.planar().frames; ++frame) {
    CHECK(std::abs(static_cast<double>(at(out.planar(), 0, frame)) - exact.sum(in, frame)) <= kInterpolation);
  }
}

void constants_stay_what_they_are() {
  constexpr float kRounding = 3e-7F;
  for (const Rates& rates : kRates) {
    Resampler<float> resampler(rates.from_hz, rates.to_hz, ResamplerQuality::kStandard, 1);
    const Buffer out = resampled(resampler, constant(1, 4 * resampler.plan().taps + 1000, 1.0F).planar());
    for (std::size_t frame = out.planar().frames / 2; frame < out.planar().frames; ++frame) {
      CHECK(std::abs(at(out.planar(), 0, frame) - 1.0F) <= kRounding);
    }
  }
}

void equal_rates_are_a_wire() {
  Resampler<float> wire(48'000, 48'000, ResamplerQuality::kStandard, 2);
  const Buffer in = noise(2, 2000);
  at(in.planar(), 0, 100) = std::numeric_limits<float>::infinity();
  at(in.planar(), 1, 200) = std::numeric_limits<float>::denorm_min();
  const Buffer out = resampled(wire, in.planar());
  CHECK(n_different(out.planar(), in.planar()) == 0);
  CHECK(wire.latency() == 0.0);
}

template <typename Real, typename Run>
std::vector<float> run_with(const Run& run, const FilterRun<Real>& filter_run, std::size_t channels) {
  std::vector<float> out(channels * 500);
  run(filter_run, Planar<float>{out.data(), channels, 500, 500, 1});
  return out;
}

template <typename Real>
void check_kernels(const Rates& rates, ResamplerQuality quality) {
  constexpr float kRounding = 2e-6F;
  const ResamplerPlan plan = plan_resampler(rates.from_hz, rates.to_hz, quality);
  std::vector<Real> table;
  for (const double value : design_resampler(plan, quality)) table.push_back(static_cast<Real>(value));
  const std::size_t frames = 2 * plan.taps + static_cast<std::size_t>(501 * plan.down / plan.up) + 2;
  const Buffer audio = noise(3, frames);
  const std::vector<Real> history(audio.planar().data, audio.planar().data + 3 * frames);
  const FilterRun<Real> filter_run{table.data(),
                                   plan,
                                   {history.data(), 3, frames, static_cast<std::ptrdiff_t>(frames), 1},
                                   static_cast<std::int64_t>(plan.taps - 1) * plan.up,
                                   0};
  const auto kernels = neutone::dsp::resampler_kernels();
  const auto expected = run_with<Real>([&](const auto& r, const auto& o) { kernels[0].run(r, o); }, filter_run, 3);
  const auto agrees = [&](const std::vector<float>& out) {
    for (std::size_t i = 0; i < out.size(); ++i) CHECK(std::abs(out[i] - expected[i]) <= kRounding);
  };
  for (const auto& kernel : kernels) {
    agrees(run_with<Real>([&](const auto& r, const auto& o) { kernel.run(r, o); }, filter_run, 3));
  }
  // The form for 64-byte vectors, also where the processor has none.
  agrees(run_with<Real>(
      [](const auto& r, const auto& o) { neutone::dsp::kernel::run_filter<Real, 64 / sizeof(Real)>(r, o); }, filter_run,
      3));
}

void all_kernels_agree() {
  for (const Rates& rates : kRates) {
    check_kernels<float>(rates, ResamplerQuality::kLowLatency);
    check_kernels<float>(rates, ResamplerQuality::kStandard);
    check_kernels<double>(rates, ResamplerQuality::kHigh);
  }
}

}  // namespace

int main() {
  return run_tests({
      TEST(the_output_is_the_sum_of_products),
      TEST(an_interpolated_table_gives_what_an_exact_one_would),
      TEST(constants_stay_what_they_are),
      TEST(equal_rates_are_a_wire),
      TEST(all_kernels_agree),
  });
}
