#include "dsp/parameters.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "check.h"

using neutone::dsp::mean;
using neutone::dsp::ParameterRange;

namespace {

constexpr std::array<std::size_t, 16> kLengths{1, 2, 7, 8, 9, 15, 16, 17, 23, 24, 63, 64, 65, 512, 2048, 99'991};

std::vector<float> noise(std::size_t length, std::mt19937_64& random) {
  std::uniform_real_distribution<float> uniform(-1.0F, 1.0F);
  std::vector<float> values(length);
  std::ranges::generate(values, [&] { return uniform(random); });
  return values;
}

void the_mean_agrees_with_a_long_double_sum() {
  // Half a step of float for the result; the sums in double err by far less than the mean of the absolute values (at
  // most 1) times 2^-30 for these lengths, which only shows when the mean itself is next to nothing.
  constexpr double kFloatRounding = 0x1p-24;
  constexpr double kDoubleSums = 0x1p-30;
  std::mt19937_64 random(neutone::test::seed());
  for (const std::size_t length : kLengths) {
    const std::vector<float> values = noise(length, random);
    long double sum = 0.0L;
    for (const float value : values) sum += static_cast<long double>(value);
    const auto expected = static_cast<double>(sum / static_cast<long double>(length));
    const double error = std::abs(static_cast<double>(mean(values.data(), 1, length)) - expected);
    CHECK(error <= kFloatRounding * std::abs(expected) + kDoubleSums);
  }
}

void the_mean_of_strided_values_has_the_bits_of_the_contiguous_ones() {
  std::mt19937_64 random(neutone::test::seed());
  for (const std::size_t length : kLengths) {
    const std::vector<float> values = noise(length, random);
    const auto expected = std::bit_cast<std::uint32_t>(mean(values.data(), 1, length));
    for (const std::ptrdiff_t stride : {2, 3, 8, -1, -2}) {
      const auto step = static_cast<std::size_t>(std::abs(stride));
      std::vector<float> spread(step * (length - 1) + 1, 1e30F);
      float* const first = stride > 0 ? spread.data() : spread.data() + (spread.size() - 1);
      for (std::size_t i = 0; i < length; ++i) first[static_cast<std::ptrdiff_t>(i) * stride] = values[i];
      CHECK(std::bit_cast<std::uint32_t>(mean(first, stride, length)) == expected);
    }
  }
}

void the_mean_of_parts_has_the_bits_of_the_whole() {
  std::mt19937_64 random(neutone::test::seed());
  for (const std::size_t length : kLengths) {
    const std::vector<float> values = noise(length, random);
    const auto expected = std::bit_cast<std::uint32_t>(mean(values.data(), 1, length));
    std::uniform_int_distribution<std::size_t> count(0, std::min<std::size_t>(length, 40));
    neutone::dsp::CurveMean curve;
    for (std::size_t first = 0; first < length;) {
      const std::size_t part = std::min(count(random), length - first);
      curve.add(values.data() + first, 1, part);
      first += part;
    }
    CHECK(std::bit_cast<std::uint32_t>(curve.mean()) == expected);
  }
}

void the_mean_of_a_constant_is_the_constant() {
  std::mt19937_64 random(neutone::test::seed());
  for (const std::size_t length : kLengths) {
    const float value = noise(1, random)[0];
    const std::vector<float> values(length, value);
    CHECK(mean(values.data(), 1, length) == value);
    CHECK(mean(&value, 0, length) == value);
  }
}

void sums_have_the_same_bits_on_every_instruction_set() {
  using neutone::dsp::CurveSums;
  using neutone::dsp::kCurveLanes;
  std::mt19937_64 random(neutone::test::seed());
  for (const std::size_t groups : {0UL, 1UL, 2UL, 3UL, 128UL}) {
    const std::vector<float> values = noise(groups * kCurveLanes, random);
    CurveSums before{};
    for (std::size_t lane = 0; lane < kCurveLanes; ++lane) before[lane] = static_cast<double>(lane) - 3.1;
    CurveSums expected = before;
    for (std::size_t i = 0; i < values.size(); ++i) expected[i % kCurveLanes] += static_cast<double>(values[i]);
    for (const auto& kernel : neutone::dsp::curve_kernels()) {
      CurveSums sums = before;
      kernel.add_up(values.data(), groups, sums);
      CHECK(std::ranges::equal(sums, expected));
    }
  }
}

void a_value_out_of_range_is_found_wherever_it_is_on_every_instruction_set() {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
  const float above_one = std::nextafter(1.0F, 2.0F);
  std::mt19937_64 random(neutone::test::seed());
  for (const auto& kernel : neutone::dsp::curve_kernels()) {
    CHECK(kernel.are_clean(nullptr, 0));
    for (const std::size_t length : {1UL, 7UL, 8UL, 33UL, 100UL}) {
      std::vector<float> values = noise(length, random);
      for (float& value : values) value = std::abs(value);
      values[0] = 0.0F;
      values[length / 2] = 1.0F;
      CHECK(kernel.are_clean(values.data(), length));
      for (float& value : values) {
        const float kept = value;
        for (const float wrong : {-0.5F, above_one, kInfinity, -kInfinity, kNaN, -kNaN, -1e-45F}) {
          value = wrong;
          CHECK(!kernel.are_clean(values.data(), length));
        }
        value = kept;
      }
    }
  }
}

void the_ends_of_a_range_are_hit_exactly() {
  std::mt19937_64 random(neutone::test::seed());
  for (int i = 0; i < 10'000; ++i) {
    const std::vector<float> ends = noise(2, random);
    const float scale = std::exp2(static_cast<float>(i % 60) - 30.0F);
    const ParameterRange range{ends[0] * scale, ends[1] / scale};
    CHECK(range.from_0to1(0.0F) == range.minimum);
    CHECK(range.from_0to1(1.0F) == range.maximum);
  }
}

void a_range_is_linear_between_its_ends() {
  constexpr ParameterRange kRange{-10.0F, 30.0F};
  CHECK(kRange.from_0to1(0.25F) == 0.0F);
  CHECK(kRange.from_0to1(0.5F) == 10.0F);
  CHECK(kRange.from_0to1(0.75F) == 20.0F);
  CHECK(ParameterRange{}.from_0to1(0.375F) == 0.375F);
}

void a_range_may_run_downwards() {
  constexpr ParameterRange kRange{1.0F, -1.0F};
  CHECK(kRange.from_0to1(0.0F) == 1.0F);
  CHECK(kRange.from_0to1(0.25F) == 0.5F);
  CHECK(kRange.from_0to1(1.0F) == -1.0F);
}

void a_categorical_range_gives_whole_numbers_and_the_nearest() {
  constexpr ParameterRange kChoices{0.0F, 4.0F, true};
  CHECK(kChoices.from_0to1(0.0F) == 0.0F);
  CHECK(kChoices.from_0to1(1.0F) == 4.0F);
  for (int step = 0; step <= 1000; ++step) {
    const float value = static_cast<float>(step) / 1000.0F;
    const float choice = kChoices.from_0to1(value);
    CHECK(choice == std::floor(choice));
    CHECK(std::abs(choice - 4.0F * value) <= 0.5F);
  }
  CHECK(kChoices.from_0to1(0.374F) == 1.0F);
  CHECK(kChoices.from_0to1(0.376F) == 2.0F);
}

}  // namespace

int main() {
  return neutone::test::run_tests(
      {TEST(the_mean_agrees_with_a_long_double_sum),
       TEST(the_mean_of_strided_values_has_the_bits_of_the_contiguous_ones),
       TEST(the_mean_of_parts_has_the_bits_of_the_whole), TEST(the_mean_of_a_constant_is_the_constant),
       TEST(sums_have_the_same_bits_on_every_instruction_set),
       TEST(a_value_out_of_range_is_found_wherever_it_is_on_every_instruction_set),
       TEST(the_ends_of_a_range_are_hit_exactly), TEST(a_range_is_linear_between_its_ends),
       TEST(a_range_may_run_downwards), TEST(a_categorical_range_gives_whole_numbers_and_the_nearest)});
}
