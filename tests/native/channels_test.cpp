#include "dsp/channels.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>

#include "buffer.h"
#include "check.h"
#include "stamps.h"

using neutone::dsp::can_fit_channels;
using neutone::dsp::fit_channels;
using neutone::dsp::Planar;
using neutone::test::at;
using neutone::test::Buffer;
using neutone::test::check_stamps;
using neutone::test::kLayouts;
using neutone::test::Layout;
using neutone::test::stamp;
using neutone::test::stamped;

namespace {

constexpr std::size_t kFrames = 37;  // no multiple of any vector width

static_assert(can_fit_channels(1, 2) && can_fit_channels(2, 1));
static_assert(can_fit_channels(1, 1) && can_fit_channels(2, 2) && can_fit_channels(6, 6));
static_assert(!can_fit_channels(1, 3) && !can_fit_channels(3, 1) && !can_fit_channels(2, 3) && !can_fit_channels(3, 2));

template <typename Check>
void for_every_pair_of_layouts(std::size_t in_channels, std::size_t out_channels, const Check& check) {
  for (const Layout in_layout : kLayouts) {
    for (const Layout out_layout : kLayouts) {
      const Buffer in = stamped(in_channels, kFrames, 0, in_layout);
      const Buffer out(out_channels, kFrames, out_layout);
      fit_channels<float>(in.planar(), out.planar());
      check(out.planar());
    }
  }
}

void equal_channels_are_copied() {
  for (const std::size_t channels : {1U, 2U, 5U}) {
    for_every_pair_of_layouts(channels, channels, [](Planar<const float> out) { check_stamps(out, 0); });
  }
}

void mono_becomes_stereo_by_repeating_the_channel() {
  for_every_pair_of_layouts(1, 2, [](Planar<const float> out) {
    check_stamps(out.slice_channels(0, 1), 0);
    check_stamps(out.slice_channels(1, 1), 0);
  });
}

void stereo_becomes_mono_by_the_mean_of_the_two() {
  for_every_pair_of_layouts(2, 1, [](Planar<const float> out) {
    for (std::size_t frame = 0; frame < kFrames; ++frame) {
      CHECK(at(out, 0, frame) == (stamp(0, frame) + stamp(1, frame)) / 2);
    }
  });
}

void only_the_frames_of_the_output_are_written() {
  for (const std::size_t channels : {1U, 2U}) {
    const Buffer in = stamped(channels, kFrames, 0);
    const Buffer out(3 - channels, kFrames);
    fit_channels<float>(in.planar(), out.first(kFrames - 1));
    CHECK(at(out.planar(), 0, kFrames - 2) != Buffer::kUntouched);
    CHECK(at(out.planar(), 0, kFrames - 1) == Buffer::kUntouched);
  }
}

void a_zero_stride_repeats_one_value() {
  constexpr std::array kKnobs{1.0F, 2.0F};
  const Buffer out(1, kFrames);
  fit_channels<float>({kKnobs.data(), 2, kFrames, 1, 0}, out.planar());
  for (std::size_t frame = 0; frame < kFrames; ++frame) CHECK(at(out.planar(), 0, frame) == 1.5F);
}

// Any bit pattern but NaN and what is beyond half of the largest float, whose sum overflows; denormals included.
float any_float(std::mt19937_64& random) {
  for (;;) {
    const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    if (value >= -std::numeric_limits<float>::max() / 2 && value <= std::numeric_limits<float>::max() / 2) return value;
  }
}

void mono_through_stereo_and_back_is_the_same_bit_for_bit() {
  std::mt19937_64 random(neutone::test::seed());
  for (const Layout layout : kLayouts) {
    const Buffer mono(1, 10'000);
    std::generate_n(mono.planar().data, 10'000, [&random] { return any_float(random); });
    mono.planar().data[0] = -0.0F;
    mono.planar().data[1] = std::numeric_limits<float>::denorm_min();
    const Buffer stereo(2, 10'000, layout);
    const Buffer back(1, 10'000, layout);
    fit_channels<float>(mono.planar(), stereo.planar());
    fit_channels<float>(stereo.planar(), back.planar());
    for (std::size_t frame = 0; frame < 10'000; ++frame) {
      CHECK(std::bit_cast<std::uint32_t>(at(back.planar(), 0, frame)) ==
            std::bit_cast<std::uint32_t>(at(mono.planar(), 0, frame)));
    }
  }
}

void other_sample_types_work() {
  constexpr std::array kStereo{1.0, 2.0, 3.0, 5.0};
  std::array<double, 2> mono{};
  fit_channels<double>({kStereo.data(), 2, 2, 2, 1}, {mono.data(), 1, 2, 2, 1});
  CHECK(mono[0] == 2.0);
  CHECK(mono[1] == 3.5);
}

}  // namespace

int main() {
  return neutone::test::run_tests(
      {TEST(equal_channels_are_copied), TEST(mono_becomes_stereo_by_repeating_the_channel),
       TEST(stereo_becomes_mono_by_the_mean_of_the_two), TEST(only_the_frames_of_the_output_are_written),
       TEST(a_zero_stride_repeats_one_value), TEST(mono_through_stereo_and_back_is_the_same_bit_for_bit),
       TEST(other_sample_types_work)});
}
