#include "dsp/control_stream.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "buffer.h"
#include "check.h"

using neutone::dsp::average_controls;
using neutone::dsp::carry_controls;
using neutone::dsp::ControlTimes;
using neutone::dsp::SpscRing;
using neutone::test::at;
using neutone::test::Buffer;

namespace {

constexpr std::size_t kValues = 4096;
constexpr std::array<ControlTimes, 8> kTimes{
    {{1, 1, 0}, {160, 147, 147}, {147, 160, 20}, {1, 3, 3}, {3, 1, 1}, {24, 1, 0}, {2, 35, 36}, {6857, 6300, 6299}}};

// Noise in a ring that wraps somewhere inside, and the same values in a row.
struct Waiting {
  SpscRing<float> ring{2, kValues};
  std::vector<std::vector<float>> values;

  explicit Waiting(std::size_t wrap_after) : values(2, std::vector<float>(kValues)) {
    std::mt19937_64 random(neutone::test::seed());
    std::uniform_real_distribution<float> uniform(0.0F, 1.0F);
    Buffer block(2, kValues);
    for (std::size_t row = 0; row < 2; ++row) {
      std::generate_n(block.planar().row(row), kValues, [&] { return uniform(random); });
      std::copy_n(block.planar().row(row), kValues, values[row].begin());
    }
    CHECK(ring->write(block.planar().slice_frames(0, kValues - wrap_after)) == kValues - wrap_after);
    CHECK(ring->skip(kValues) == kValues - wrap_after);
    CHECK(ring->write(block.planar()) == kValues);
  }
};

// The most frames that all values are enough for.
std::size_t frames_between(const ControlTimes& times) {
  return static_cast<std::size_t>((static_cast<std::int64_t>(kValues - 2) * times.up - times.part) / times.down);
}

void curves_go_on_straight_lines_and_choices_step() {
  constexpr double kRounding = 1e-6;
  for (const ControlTimes& times : kTimes) {
    for (const std::size_t wrap_after : {std::size_t{1}, std::size_t{70}, std::size_t{2000}, kValues}) {
      Waiting waiting(wrap_after);
      const std::size_t frames = frames_between(times);
      Buffer out(2, frames);
      const auto needed = waiting.ring->readable(times.values_around(frames));
      carry_controls(needed, times, std::array{false, true}, out.planar());
      for (std::size_t frame = 0; frame < frames; ++frame) {
        const double time = static_cast<double>(times.part + static_cast<std::int64_t>(frame) * times.down) /
                            static_cast<double>(times.up);
        const auto before = static_cast<std::size_t>(time);
        const double part = time - static_cast<double>(before);
        const auto& line = waiting.values[0];
        const double expected = line[before] + part * (line[before + 1] - line[before]);
        CHECK(std::abs(at(out.planar(), 0, frame) - expected) <= kRounding);
        const auto nearest = static_cast<std::size_t>(std::floor(time + 0.5));
        CHECK(at(out.planar(), 1, frame) == waiting.values[1][nearest]);
      }
    }
  }
}

void a_block_stands_for_the_mean_of_the_values_up_to_the_next() {
  constexpr double kRounding = 1e-7;
  for (const ControlTimes& start : kTimes) {
    for (const std::size_t block : {1U, 7U, 64U}) {
      Waiting waiting(1000);
      ControlTimes times = start;
      std::size_t passed = 0;
      for (int n = 0; n < 20 && passed + times.place(block) + 1 < kValues; ++n) {
        Buffer out(2, 1);
        const std::size_t count = times.n_averaged(block);
        average_controls(waiting.ring->readable(times.place(0) + count), times, block, out.planar());
        const auto first = waiting.values[0].begin() + static_cast<std::ptrdiff_t>(passed + times.place(0));
        double sum = 0.0;
        for (std::size_t i = 0; i < count; ++i) sum += first[static_cast<std::ptrdiff_t>(i)];
        CHECK(std::abs(at(out.planar(), 0, 0) - sum / static_cast<double>(count)) <= kRounding);
        passed += times.place(block);
        waiting.ring->consume(times.place(block));
        times.part = (times.part + static_cast<std::int64_t>(block) * times.down) % times.up;
      }
    }
  }
}

// Every value is part of exactly one block's mean, unless blocks are shorter than values.
void no_value_is_left_out_or_counted_twice() {
  for (const ControlTimes& start : kTimes) {
    const auto block = static_cast<std::size_t>(2 * start.up / start.down + 1);
    std::size_t averaged = start.place(0);
    std::size_t passed = 0;
    ControlTimes times = start;
    for (int n = 0; n < 1000; ++n) {
      CHECK(passed + times.place(0) == averaged);
      averaged += times.n_averaged(block);
      passed += times.place(block);
      times.part = (times.part + static_cast<std::int64_t>(block) * times.down) % times.up;
    }
  }
}

void how_blocks_are_cut_changes_no_bit_of_a_curve() {
  std::mt19937_64 random(neutone::test::seed());
  for (const ControlTimes& start : kTimes) {
    const std::size_t frames = std::min<std::size_t>(frames_between(start), 3000);
    Waiting whole(100);
    Buffer expected(2, frames);
    carry_controls(whole.ring->readable(start.values_around(frames)), start, std::array{false, true},
                   expected.planar());
    Waiting cut(100);
    ControlTimes times = start;
    std::uniform_int_distribution<std::size_t> count(1, 150);
    for (std::size_t done = 0; done < frames;) {
      const std::size_t block = std::min(count(random), frames - done);
      Buffer out(2, block);
      carry_controls(cut.ring->readable(times.values_around(block)), times, std::array{false, true}, out.planar());
      for (std::size_t row = 0; row < 2; ++row) {
        CHECK(std::equal(out.planar().row(row), out.planar().row(row) + block, expected.planar().row(row) + done));
      }
      cut.ring->consume(times.place(block));
      times.part = (times.part + static_cast<std::int64_t>(block) * times.down) % times.up;
      done += block;
    }
  }
}

}  // namespace

int main() {
  return neutone::test::run_tests({
      TEST(curves_go_on_straight_lines_and_choices_step),
      TEST(a_block_stands_for_the_mean_of_the_values_up_to_the_next),
      TEST(no_value_is_left_out_or_counted_twice),
      TEST(how_blocks_are_cut_changes_no_bit_of_a_curve),
  });
}
