#include "dsp/parameter_smoother.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "check.h"

using neutone::dsp::ParameterSmoother;
using neutone::dsp::Smoothing;

namespace {

constexpr std::array kKinds{Smoothing::kLinear, Smoothing::kOnePole};
constexpr double kRounding = 1e-12;

std::vector<double> smoothed(ParameterSmoother& smoother, Smoothing kind, double time_samples,
                             const std::vector<double>& targets, std::size_t block) {
  std::vector<double> curve;
  for (const double target : targets) {
    smoother.process(kind, time_samples, target, block,
                     [&curve](std::size_t, double value) { curve.push_back(value); });
  }
  return curve;
}

void the_first_value_is_there_at_once_and_stays() {
  for (const Smoothing kind : kKinds) {
    ParameterSmoother smoother;
    const auto curve = smoothed(smoother, kind, 1000.0, {0.7, 0.7, 0.7}, 64);
    CHECK(std::ranges::all_of(curve, [](double value) { return value == 0.7; }));
  }
}

void a_line_takes_its_time() {
  ParameterSmoother smoother;
  const auto curve = smoothed(smoother, Smoothing::kLinear, 150.0, {0.0, 1.0, 1.0, 1.0, 1.0}, 64);
  for (std::size_t i = 0; i < curve.size(); ++i) {
    const double expected = i < 64 ? 0.0 : std::min(1.0, static_cast<double>(i - 63) / 150.0);
    CHECK(std::abs(curve[i] - expected) <= kRounding);
  }
  CHECK(curve.back() == 1.0);
}

void a_line_is_never_faster_than_a_block() {
  ParameterSmoother smoother;
  const auto curve = smoothed(smoother, Smoothing::kLinear, 5.0, {0.0, 1.0, 2.0, 3.0}, 50);
  for (std::size_t i = 50; i < curve.size(); ++i) CHECK(std::abs(curve[i] - curve[i - 1] - 1.0 / 50.0) <= kRounding);
}

// The definition: the input goes on lines from block to block, the output follows it.
void a_pole_follows_the_difference_equation() {
  constexpr double kTime = 100.0;
  ParameterSmoother smoother;
  const std::vector<double> targets{0.0, 1.0, 0.5, 0.5, 2.0};
  const auto curve = smoothed(smoother, Smoothing::kOnePole, kTime, targets, 32);
  double value = 0.0;
  for (std::size_t i = 32; i < curve.size(); ++i) {
    const double from = targets[i / 32 - 1];
    const double input = from + (targets[i / 32] - from) * static_cast<double>(i % 32 + 1) / 32.0;
    value += (1.0 - std::exp(-1.0 / kTime)) * (input - value);
    CHECK(std::abs(curve[i] - value) <= kRounding);
  }
}

void no_step_is_larger_than_the_line_to_the_target() {
  for (const Smoothing kind : kKinds) {
    ParameterSmoother smoother;
    std::vector<double> targets(200);
    for (std::size_t i = 0; i < targets.size(); ++i) targets[i] = static_cast<double>(i * 7919 % 100) / 100.0;
    const auto curve = smoothed(smoother, kind, 200.0, targets, 40);
    for (std::size_t i = 1; i < curve.size(); ++i) CHECK(std::abs(curve[i] - curve[i - 1]) <= 1.0 / 200.0 + kRounding);
  }
}

void a_reset_smoother_is_a_fresh_one() {
  for (const Smoothing kind : kKinds) {
    ParameterSmoother smoother;
    static_cast<void>(smoothed(smoother, kind, 100.0, {0.1, 0.9}, 10));
    smoother = {};
    ParameterSmoother fresh;
    CHECK((smoothed(smoother, kind, 100.0, {0.5, 0.2}, 10) == smoothed(fresh, kind, 100.0, {0.5, 0.2}, 10)));
  }
}

void numbers_that_no_smoother_has_are_a_fresh_start() {
  ParameterSmoother smoother{1.0, std::numeric_limits<double>::quiet_NaN(), 0.5, 3.0};
  const auto curve = smoothed(smoother, Smoothing::kLinear, 10.0, {0.25}, 4);
  CHECK(std::ranges::all_of(curve, [](double value) { return value == 0.25; }));
}

}  // namespace

int main() {
  return neutone::test::run_tests({
      TEST(the_first_value_is_there_at_once_and_stays),
      TEST(a_line_takes_its_time),
      TEST(a_line_is_never_faster_than_a_block),
      TEST(a_pole_follows_the_difference_equation),
      TEST(no_step_is_larger_than_the_line_to_the_target),
      TEST(a_reset_smoother_is_a_fresh_one),
      TEST(numbers_that_no_smoother_has_are_a_fresh_start),
  });
}
