#include "dsp/resampler.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>
#include <random>
#include <stdexcept>
#include <vector>

#include "check.h"

using neutone::dsp::design_resampler;
using neutone::dsp::FilterRun;
using neutone::dsp::plan_exact_resampler;
using neutone::dsp::plan_resampler;
using neutone::dsp::Planar;
using neutone::dsp::Resampler;
using neutone::dsp::ResamplerCursor;
using neutone::dsp::ResamplerPlan;
using neutone::dsp::ResamplerQuality;
using neutone::dsp::ResamplerView;

namespace {

struct Rates {
  std::int64_t from_hz;
  std::int64_t to_hz;
};
constexpr std::array<Rates, 8> kRates{{{44'100, 48'000},
                                       {48'000, 44'100},
                                       {48'000, 16'000},
                                       {16'000, 48'000},
                                       {44'100, 47'999},
                                       {47'999, 44'100},
                                       {8'000, 192'000},
                                       {384'000, 22'050}}};
constexpr std::array kQualities{ResamplerQuality::kLowLatency, ResamplerQuality::kStandard, ResamplerQuality::kHigh};

// Channel after channel.
class Audio {
 public:
  Audio(std::size_t channels, std::size_t frames) : channels_(channels), frames_(frames), samples_(channels * frames) {}

  [[nodiscard]] Planar<float> planar() {
    return {samples_.data(), channels_, frames_, static_cast<std::ptrdiff_t>(frames_), 1};
  }
  [[nodiscard]] float& at(std::size_t channel, std::size_t frame) { return samples_[channel * frames_ + frame]; }
  [[nodiscard]] std::size_t frames() const { return frames_; }
  [[nodiscard]] std::vector<float>& samples() { return samples_; }

 private:
  std::size_t channels_;
  std::size_t frames_;
  std::vector<float> samples_;
};

Audio noise(std::size_t channels, std::size_t frames) {
  std::mt19937_64 random(neutone::test::seed());
  std::uniform_real_distribution<float> uniform(-1.0F, 1.0F);
  Audio audio(channels, frames);
  std::ranges::generate(audio.samples(), [&] { return uniform(random); });
  return audio;
}

// All of `in` at once.
template <typename Real>
Audio resampled(Resampler<Real>& resampler, Audio& in) {
  const auto [up, down] = std::pair(resampler.plan().up, resampler.plan().down);
  const auto frames = static_cast<std::size_t>(static_cast<std::int64_t>(in.frames()) * up / down);
  Audio out(in.planar().channels, frames);
  const auto moved = resampler.process(in.planar(), out.planar());
  CHECK(moved.consumed == in.frames());
  CHECK(moved.produced == frames);
  return out;
}

void frames_out_are_frames_in_times_the_ratio_rounded_down() {
  for (const auto& [from_hz, to_hz] : kRates) {
    Resampler<float> resampler(from_hz, to_hz, ResamplerQuality::kStandard, 1);
    Audio in(1, 1);
    Audio out(1, 64);
    std::int64_t produced = 0;
    for (std::int64_t consumed = 1; consumed < 3000; ++consumed) {
      produced += static_cast<std::int64_t>(resampler.process(in.planar(), out.planar()).produced);
      CHECK(produced == consumed * to_hz / from_hz);
    }
  }
}

template <typename Real>
void check_cuts(const Rates& rates, ResamplerQuality quality, std::size_t channels) {
  Resampler<Real> resampler(rates.from_hz, rates.to_hz, quality, channels);
  Audio in = noise(channels, 6000);
  Audio whole = resampled(resampler, in);
  std::mt19937_64 random(neutone::test::seed());
  for (const std::size_t largest : {1U, 7U, 64U, 1000U}) {
    resampler.reset();
    std::uniform_int_distribution<std::size_t> count(0, largest);
    Audio out(channels, whole.frames());
    std::size_t consumed = 0;
    std::size_t produced = 0;
    while (produced < whole.frames()) {
      const auto moved =
          resampler.process(in.planar().slice_frames(consumed, std::min(count(random), in.frames() - consumed)),
                            out.planar().slice_frames(produced, std::min(count(random), whole.frames() - produced)));
      consumed += moved.consumed;
      produced += moved.produced;
    }
    CHECK((out.samples() == whole.samples()));
  }
}

void how_input_and_output_are_cut_changes_no_bit() {
  for (const Rates& rates : kRates) {
    for (const std::size_t channels : {1U, 2U, 5U}) {
      check_cuts<float>(rates, ResamplerQuality::kStandard, channels);
    }
    check_cuts<float>(rates, ResamplerQuality::kLowLatency, 2);
    check_cuts<double>(rates, ResamplerQuality::kHigh, 2);
  }
}

void channels_do_not_touch_each_other() {
  Audio in = noise(5, 4000);
  Resampler<float> together(44'100, 48'000, ResamplerQuality::kStandard, 5);
  Audio all = resampled(together, in);
  for (std::size_t channel = 0; channel < 5; ++channel) {
    Resampler<float> alone(44'100, 48'000, ResamplerQuality::kStandard, 1);
    Audio mono(1, in.frames());
    std::copy_n(&in.at(channel, 0), in.frames(), mono.samples().begin());
    Audio one = resampled(alone, mono);
    CHECK(std::equal(one.samples().begin(), one.samples().end(), &all.at(channel, 0)));
  }
}

// An exact table, looked at through the definition of its rows.
class SlowResampler {
 public:
  SlowResampler(const ResamplerPlan& plan, ResamplerQuality quality)
      : plan_(plan), table_(design_resampler(plan, quality)), rows_(static_cast<std::size_t>(plan.up)) {
    for (std::int64_t row = 0; row < plan.up; ++row) rows_[static_cast<std::size_t>(row * plan.down % plan.up)] = row;
  }

  // Every coefficient times its frame, oldest first, in double.
  double sum(Audio& in, std::size_t frame) const {
    const std::int64_t position = static_cast<std::int64_t>(frame) * plan_.down + plan_.down - 1;
    const std::int64_t row = rows_[static_cast<std::size_t>(position % plan_.up)];
    const std::int64_t first_row = row - row % 4;
    const std::int64_t first_tap = row * plan_.down / plan_.up - first_row * plan_.down / plan_.up;
    const double* const coefficients = table_.data() + row * static_cast<std::int64_t>(plan_.taps) + first_tap;
    const auto count = static_cast<std::int64_t>(2 * plan_.half_taps);
    double sum = 0.0;
    for (std::int64_t tap = 0; tap < count; ++tap) {
      const std::int64_t index = position / plan_.up + 1 - count + tap;
      if (index >= 0) sum += coefficients[tap] * static_cast<double>(in.at(0, static_cast<std::size_t>(index)));
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
  Audio in = noise(1, 9000);
  Audio out = resampled(resampler, in);
  for (std::size_t frame = 0; frame < out.frames(); ++frame) {
    CHECK(std::abs(static_cast<double>(out.at(0, frame)) - slow.sum(in, frame)) <= tolerance);
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
  Audio in = noise(1, 9000);
  Audio out = resampled(resampler, in);
  for (std::size_t frame = 0; frame < out.frames(); ++frame) {
    CHECK(std::abs(static_cast<double>(out.at(0, frame)) - exact.sum(in, frame)) <= kInterpolation);
  }
}

// A resampler that views memory of its own.
struct Viewed {
  ResamplerPlan plan;
  std::vector<float> table;
  Audio history;
  ResamplerCursor cursor;
  ResamplerView<float> view;

  explicit Viewed(const Rates& rates)
      : plan(plan_resampler(rates.from_hz, rates.to_hz, ResamplerQuality::kStandard)),
        history(1, ResamplerView<float>::history_frames(plan)),
        view(plan, filled(), history.planar(), cursor) {}

 private:
  const float* filled() {
    for (const double value : design_resampler(plan, ResamplerQuality::kStandard)) {
      table.push_back(static_cast<float>(value));
    }
    return table.data();
  }
};

void a_stream_that_starts_elsewhere_computes_each_moment_alike() {
  constexpr std::int64_t kLater = 11;  // output frames
  for (const Rates& rates : kRates) {
    Viewed resampler(rates);
    const auto [up, down] = std::pair(resampler.plan.up, resampler.plan.down);
    Audio in = noise(1, 5000);
    Audio expected(1, 30'000);
    resampler.view.start(down - 1);
    const std::size_t produced = resampler.view.process(in.planar(), expected.planar()).produced;
    for (const std::int64_t silent : {0, 1, 2, 3, 50}) {
      Audio behind_silence(1, in.frames() + static_cast<std::size_t>(silent));
      std::ranges::copy(in.samples(), behind_silence.samples().begin() + silent);
      // The same frames, but for some that are left out, or silence that comes before.
      const std::int64_t earlier = std::min(silent * up / down, std::int64_t{5});
      for (const std::int64_t moved : {-earlier, std::int64_t{0}, kLater}) {
        resampler.view.start(down - 1 + moved * down, silent);
        Audio out(1, 40'000);
        static_cast<void>(resampler.view.process(behind_silence.planar(), out.planar()));
        const auto skipped = static_cast<std::ptrdiff_t>(std::max<std::int64_t>(moved, 0));
        const auto begin = out.samples().begin() + std::max<std::int64_t>(-moved, 0);
        const auto count = static_cast<std::ptrdiff_t>(produced) - kLater;
        CHECK(std::equal(begin, begin + count, expected.samples().begin() + skipped));
      }
    }
  }
}

void a_reset_resampler_is_a_fresh_one() {
  for (const Rates& rates : kRates) {
    Resampler<float> resampler(rates.from_hz, rates.to_hz, ResamplerQuality::kStandard, 2);
    Audio in = noise(2, 3000);
    Audio first = resampled(resampler, in);
    resampler.reset();
    Audio second = resampled(resampler, in);
    CHECK((first.samples() == second.samples()));
  }
}

// The centre of gravity of the output for one impulse, which is exact for a symmetric filter. In output frames.
template <typename Real>
double measured_latency(const Rates& rates, ResamplerQuality quality) {
  constexpr std::size_t kAt = 1000;
  Resampler<Real> resampler(rates.from_hz, rates.to_hz, quality, 1);
  Audio in(1, 2 * kAt + 4 * resampler.plan().taps);
  in.at(0, kAt) = 1.0F;
  Audio out = resampled(resampler, in);
  double moment = 0.0;
  double sum = 0.0;
  for (std::size_t frame = 0; frame < out.frames(); ++frame) {
    const auto value = static_cast<double>(out.at(0, frame));
    moment += value * static_cast<double>(frame);
    sum += value;
  }
  return moment / sum -
         static_cast<double>(kAt) * static_cast<double>(rates.to_hz) / static_cast<double>(rates.from_hz);
}

void latency_declared_is_latency_measured() {
  constexpr double kFrames = 0.001;  // the sampled filter's moments are not those of the continuous one
  for (const Rates& rates : {kRates[0], kRates[1], kRates[3], kRates[4]}) {
    for (const ResamplerQuality quality : kQualities) {
      const Resampler<double> resampler(rates.from_hz, rates.to_hz, quality, 1);
      CHECK(std::abs(measured_latency<double>(rates, quality) - resampler.latency()) <= kFrames);
    }
  }
  const Resampler<float> standard(44'100, 48'000, ResamplerQuality::kStandard, 1);
  const Resampler<float> low(44'100, 48'000, ResamplerQuality::kLowLatency, 1);
  CHECK(standard.latency() <= 54.0);
  CHECK(low.latency() <= 18.0);
}

void constants_stay_what_they_are() {
  constexpr float kRounding = 3e-7F;
  for (const Rates& rates : kRates) {
    Resampler<float> resampler(rates.from_hz, rates.to_hz, ResamplerQuality::kStandard, 1);
    Audio in(1, 4 * resampler.plan().taps + 1000);
    std::ranges::fill(in.samples(), 1.0F);
    Audio out = resampled(resampler, in);
    for (std::size_t frame = out.frames() / 2; frame < out.frames(); ++frame) {
      CHECK(std::abs(out.at(0, frame) - 1.0F) <= kRounding);
    }
  }
}

void equal_rates_are_a_wire() {
  Resampler<float> wire(48'000, 48'000, ResamplerQuality::kStandard, 2);
  Audio in = noise(2, 2000);
  in.at(0, 100) = std::numeric_limits<float>::infinity();
  in.at(1, 200) = std::numeric_limits<float>::denorm_min();
  Audio out = resampled(wire, in);
  CHECK((out.samples() == in.samples()));
  CHECK(wire.latency() == 0.0);
}

void what_is_not_finite_is_gone_after_the_filters_length() {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    Resampler<float> dirty(44'100, 48'000, ResamplerQuality::kStandard, 2);
    Resampler<float> clean(44'100, 48'000, ResamplerQuality::kStandard, 2);
    Audio in = noise(2, 3000);
    Audio expected = resampled(clean, in);
    in.at(0, 500) = bad;
    Audio out = resampled(dirty, in);
    const auto length = dirty.plan().taps;
    const std::size_t first = 500 * 160 / 147;
    const std::size_t behind = (500 + length + 1) * 160 / 147 + 1;
    CHECK(!std::isfinite(out.at(0, first + 50)));
    for (std::size_t frame = 0; frame < out.frames(); ++frame) {
      if (frame < first || frame > behind) CHECK(out.at(0, frame) == expected.at(0, frame));
      CHECK(out.at(1, frame) == expected.at(1, frame));
    }
  }
}

// Windows of neighbouring frames are computed together: none may see what belongs to another.
template <typename Real>
void check_cuts_of_what_is_not_finite(const Rates& rates, ResamplerQuality quality, std::size_t channels) {
  Resampler<Real> resampler(rates.from_hz, rates.to_hz, quality, channels);
  Audio in = noise(channels, 4000);
  in.at(0, 700) = std::numeric_limits<float>::quiet_NaN();
  in.at(channels - 1, 1500) = std::numeric_limits<float>::infinity();
  Audio whole = resampled(resampler, in);
  resampler.reset();
  Audio out(channels, whole.frames());
  std::size_t produced = 0;
  for (std::size_t consumed = 0; consumed < in.frames(); ++consumed) {
    const auto left = out.planar().slice_frames(produced, out.frames() - produced);
    produced += resampler.process(in.planar().slice_frames(consumed, 1), left).produced;
  }
  for (std::size_t i = 0; i < out.samples().size(); ++i) {
    const float sample = out.samples()[i];
    const float expected = whole.samples()[i];
    CHECK((sample == expected || (std::isnan(sample) && std::isnan(expected))));
  }
}

void what_is_not_finite_comes_out_at_the_same_place_however_the_stream_is_cut() {
  for (const Rates& rates : kRates) {
    for (const std::size_t channels : {1U, 2U}) {
      check_cuts_of_what_is_not_finite<float>(rates, ResamplerQuality::kStandard, channels);
      check_cuts_of_what_is_not_finite<float>(rates, ResamplerQuality::kLowLatency, channels);
    }
  }
  check_cuts_of_what_is_not_finite<double>(kRates[0], ResamplerQuality::kHigh, 2);
}

void denormals_are_flushed_and_the_callers_mode_comes_back() {
  Resampler<float> resampler(44'100, 48'000, ResamplerQuality::kStandard, 1);
  Audio in(1, 2000);
  std::ranges::fill(in.samples(), 1e-39F);
  Audio out = resampled(resampler, in);
  CHECK(std::ranges::all_of(out.samples(), [](float sample) { return sample == 0.0F; }));
  volatile float denormal = std::numeric_limits<float>::min();
  denormal = denormal / 2.0F;
  CHECK(denormal > 0.0F);
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
  Audio audio = noise(3, frames);
  const std::vector<Real> history(audio.samples().begin(), audio.samples().end());
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

void rates_that_make_no_sense_are_refused() {
  for (const auto& [from_hz, to_hz] : std::initializer_list<Rates>{
           {0, 48'000}, {48'000, 0}, {-1, 48'000}, {48'000, 768'001}, {768'000, 2'000}, {100, 48'000}}) {
    neutone::test::check_throws<std::invalid_argument>(
        [&] { static_cast<void>(plan_resampler(from_hz, to_hz, ResamplerQuality::kStandard)); });
  }
}

}  // namespace

int main() {
  return neutone::test::run_tests({
      TEST(frames_out_are_frames_in_times_the_ratio_rounded_down),
      TEST(how_input_and_output_are_cut_changes_no_bit),
      TEST(channels_do_not_touch_each_other),
      TEST(the_output_is_the_sum_of_products),
      TEST(an_interpolated_table_gives_what_an_exact_one_would),
      TEST(a_stream_that_starts_elsewhere_computes_each_moment_alike),
      TEST(a_reset_resampler_is_a_fresh_one),
      TEST(latency_declared_is_latency_measured),
      TEST(constants_stay_what_they_are),
      TEST(equal_rates_are_a_wire),
      TEST(what_is_not_finite_is_gone_after_the_filters_length),
      TEST(what_is_not_finite_comes_out_at_the_same_place_however_the_stream_is_cut),
      TEST(denormals_are_flushed_and_the_callers_mode_comes_back),
      TEST(all_kernels_agree),
      TEST(rates_that_make_no_sense_are_refused),
  });
}
