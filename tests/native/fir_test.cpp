#include "dsp/fir.h"

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

#include "buffer.h"
#include "check.h"
#include "compare.h"
#include "denormals.h"
#include "dsp/fir_design.h"
#include "signals.h"

using neutone::dsp::Fir;
using neutone::test::at;
using neutone::test::Buffer;
using neutone::test::constant;
using neutone::test::flushes_to_zero;
using neutone::test::impulse;
using neutone::test::Layout;
using neutone::test::n_different;

namespace {

using Taps = std::vector<double>;
constexpr std::array<std::size_t, 7> kLengths{1, 2, 31, 257, 1000, 4097, 100'000};
constexpr std::array<std::size_t, 5> kShorterLengths{1, 31, 257, 1000, 7000};

std::mt19937_64& randomness() {
  static std::mt19937_64 random(neutone::test::seed());
  return random;
}

// Other noise each time.
Buffer noise(std::size_t channels, std::size_t frames) {
  return neutone::test::noise(channels, frames, randomness()());
}

// Whose absolute values have a sum of 1.
Taps normalized(Taps taps) {
  double sum = 0.0;
  for (const double tap : taps) sum += std::abs(tap);
  std::ranges::for_each(taps, [sum](double& tap) { tap /= sum; });
  return taps;
}

Taps random_taps(std::size_t count) {
  std::normal_distribution<double> normal;
  Taps taps(count);
  std::ranges::generate(taps, [&] { return normal(randomness()); });
  return normalized(taps);
}

Buffer filtered(Fir& fir, const Buffer& in) {
  Buffer out(in.planar().channels, in.planar().frames);
  fir.process(in.planar(), out.planar());
  return out;
}

double slow_sum(const Taps& taps, const Buffer& in, std::size_t channel, std::size_t frame) {
  double sum = 0.0;
  for (std::size_t tap = 0; tap < taps.size() && tap <= frame; ++tap) {
    sum += taps[tap] * static_cast<double>(at(in.planar(), channel, frame - tap));
  }
  return sum;
}

// What is changed in the middle of a stream, at frames that do not depend on how it is cut.
struct Change {
  std::size_t frame;
  Taps taps;
  std::size_t fade_frames;
};

// The output of a fresh filter for blocks of at most `largest` frames.
Buffer filtered_in_blocks(const Taps& taps, const Buffer& in, std::size_t largest, const std::vector<Change>& changes) {
  Fir fir(taps, in.planar().channels);
  Buffer out(in.planar().channels, in.planar().frames);
  std::uniform_int_distribution<std::size_t> count(0, largest);
  auto change = changes.begin();
  for (std::size_t done = 0; done < in.planar().frames;) {
    if (change != changes.end() && change->frame == done) {
      fir.set_taps(change->taps, change->fade_frames);
      ++change;
    }
    const std::size_t end = change == changes.end() ? in.planar().frames : change->frame;
    const std::size_t frames = std::min(count(randomness()), end - done);
    fir.process(in.planar().slice_frames(done, frames), out.planar().slice_frames(done, frames));
    done += frames;
  }
  return out;
}

void how_the_stream_is_cut_changes_no_bit() {
  for (const std::size_t length : kShorterLengths) {
    for (const std::size_t channels : {1U, 2U, 5U}) {
      const Taps taps = random_taps(length);
      const std::vector<Change> changes{{100, random_taps(length), 900},
                                        {777, random_taps(length), 0},
                                        {1000, random_taps(length), 3000},
                                        {2500, random_taps(length), 10}};
      const Buffer in = noise(channels, 6000);
      const Buffer whole = filtered_in_blocks(taps, in, 6000, changes);
      for (const std::size_t largest : {1U, 7U, 64U, 1000U}) {
        CHECK(n_different(filtered_in_blocks(taps, in, largest, changes).planar(), whole.planar()) == 0);
      }
    }
  }
}

// For noise of at most 1 and taps whose absolute sum is 1: the declared bound.
constexpr double kRounding = 1e-6;

void check_sums(const Taps& taps) {
  Fir fir(taps, 2);
  const std::size_t frames = taps.size() + 3000;
  const Buffer in = noise(2, frames);
  const Buffer out = filtered(fir, in);
  const std::size_t step = taps.size() > 1000 ? taps.size() / 150 : 1;  // the reference is slow
  for (std::size_t frame = 0; frame < frames; frame += step) {
    CHECK(std::abs(static_cast<double>(at(out.planar(), 0, frame)) - slow_sum(taps, in, 0, frame)) <= kRounding);
    CHECK(std::abs(static_cast<double>(at(out.planar(), 1, frame)) - slow_sum(taps, in, 1, frame)) <= kRounding);
  }
}

void the_output_is_the_sum_of_products() {
  for (const std::size_t length : kLengths) {
    check_sums(random_taps(length));
    // The largest output that such taps can have, once with every way that leads there.
    Taps late(length, 1e-9);
    late.back() = 1.0;
    check_sums(normalized(late));
    Taps early(length, 0.1 / static_cast<double>(length));
    early.front() = 1.0;
    check_sums(normalized(early));
  }
}

void the_longest_filter_reaches_its_last_tap() {
  Taps taps(neutone::dsp::kMaxFirTaps);
  taps.back() = 1.0;
  Fir fir(taps, 1);
  const Buffer in = noise(1, taps.size() + 5000);
  const Buffer out = filtered(fir, in);
  for (std::size_t frame = 0; frame < in.planar().frames; ++frame) {
    const float expected = frame + 1 < taps.size() ? 0.0F : at(in.planar(), 0, frame + 1 - taps.size());
    CHECK(std::abs(static_cast<double>(at(out.planar(), 0, frame) - expected)) <= kRounding);
  }
}

// The largest output for a tone, in dB, after the filter has filled.
double tone_db(const Taps& taps, double freq) {
  Fir fir(taps, 1);
  const std::size_t frames = taps.size() + 4000;
  Buffer audio(1, frames);
  for (std::size_t i = 0; i < frames; ++i) {
    at(audio.planar(), 0, i) = static_cast<float>(std::sin(2.0 * std::numbers::pi * freq * static_cast<double>(i)));
  }
  fir.process(audio.planar(), audio.planar());
  float peak = 0.0F;
  for (std::size_t i = taps.size(); i < frames; ++i) peak = std::max(peak, std::abs(at(audio.planar(), 0, i)));
  return 20.0 * std::log10(static_cast<double>(peak));
}

void tones_pass_and_stop() {
  constexpr double kPassDb = 0.001;
  constexpr double kHalfDb = -6.0206;
  constexpr double kStopDb = -115.0;
  for (const std::int64_t length : {101, 1001, 8001}) {
    const Taps taps = neutone::dsp::design_fir(neutone::dsp::FirKind::kLowpass, std::array{0.1003}, length);
    CHECK(std::abs(tone_db(taps, 0.0117)) <= kPassDb);
    CHECK(std::abs(tone_db(taps, 0.1003) - kHalfDb) <= 0.02);  // peaks are not where samples are
    CHECK(tone_db(taps, 0.1803) <= kStopDb);
  }
}

void a_reset_filter_is_a_fresh_one() {
  for (const std::size_t length : kShorterLengths) {
    const Taps taps = random_taps(length);
    const Buffer in = noise(2, 3001);
    Fir fresh(taps, 2);
    const Buffer expected = filtered(fresh, in);
    Fir fir(random_taps(length), 2);
    static_cast<void>(filtered(fir, in));
    fir.set_taps(taps, 100'000);
    static_cast<void>(filtered(fir, in));
    fir.reset();
    CHECK(n_different(filtered(fir, in).planar(), expected.planar()) == 0);
  }
}

void latency_declared_is_latency_measured() {
  static_assert(Fir::latency() == 0);
  constexpr std::size_t kAt = 333;
  for (const std::size_t length : kShorterLengths) {
    Taps taps = random_taps(length);
    taps.front() = 0.5;
    Fir fir(taps, 1);
    const Buffer in = impulse(1, 2000, kAt);
    const Buffer out = filtered(fir, in);
    for (std::size_t frame = 0; frame < kAt; ++frame) CHECK(at(out.planar(), 0, frame) == 0.0F);
    CHECK(at(out.planar(), 0, kAt) == 0.5F);
  }
}

void channels_do_not_touch_each_other() {
  for (const std::size_t length : kShorterLengths) {
    const Taps taps = random_taps(length);
    const Buffer in = noise(3, 4000);
    at(in.planar(), 1, 100) = std::numeric_limits<float>::quiet_NaN();
    Fir together(taps, 3);
    const Buffer all = filtered(together, in);
    for (const std::size_t channel : {0U, 2U}) {
      Fir alone(taps, 1);
      Buffer one(1, 4000);
      alone.process(in.planar().slice_channels(channel, 1), one.planar());
      CHECK(n_different(one.planar(), all.planar().slice_channels(channel, 1)) == 0);
    }
  }
}

void what_is_not_finite_is_gone_when_the_header_says() {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    for (const std::size_t length : kShorterLengths) {
      constexpr std::size_t kAt = 500;
      Fir dirty(random_taps(length), 1);
      const std::size_t block = dirty.plan().block;
      const std::size_t clean = kAt + length + 2 * block;
      const std::size_t first_clean = block == 0 ? clean : (clean + block - 1) / block * block;
      const Buffer in = noise(1, first_clean + 2000);
      Buffer expected = filtered(dirty, in);
      dirty.reset();
      at(in.planar(), 0, kAt) = bad;
      const Buffer out = filtered(dirty, in);
      CHECK(!std::isfinite(at(out.planar(), 0, kAt)));
      for (std::size_t frame = 0; frame < in.planar().frames; ++frame) {
        if (frame >= kAt && frame < first_clean) continue;
        CHECK(at(out.planar(), 0, frame) == at(expected.planar(), 0, frame));
      }
    }
  }
}

void new_taps_fade_in_linearly() {
  constexpr std::size_t kAt = 1234;
  for (const std::size_t fade_frames : {0U, 1U, 700U, 2000U}) {
    for (const std::size_t length : kShorterLengths) {
      const Taps before = random_taps(length);
      const Taps behind = random_taps(length);
      const Buffer in = noise(2, 4000);
      const Buffer out = filtered_in_blocks(before, in, 512, {{kAt, behind, fade_frames}});
      for (std::size_t frame = 0; frame < 4000; frame += 3) {
        const double over = static_cast<double>(frame) - static_cast<double>(kAt) + 1.0;
        const double part = over <= 0.0 ? 0.0 : std::min(1.0, over / std::max(1.0, static_cast<double>(fade_frames)));
        const double expected = (1.0 - part) * slow_sum(before, in, 1, frame) + part * slow_sum(behind, in, 1, frame);
        CHECK(std::abs(static_cast<double>(at(out.planar(), 1, frame)) - expected) <= kRounding);
      }
    }
  }
}

void a_fade_begins_with_what_the_last_one_had_come_to() {
  for (const std::size_t length : kShorterLengths) {
    const std::array<Taps, 3> taps{random_taps(length), random_taps(length), random_taps(length)};
    Taps between(length);
    for (std::size_t i = 0; i < length; ++i) between[i] = 0.75 * taps[0][i] + 0.25 * taps[1][i];
    const Buffer in = noise(1, 4000);
    const Buffer out =
        filtered_in_blocks(taps[0], in, 512, {{1000, taps[1], 1000}, {1250, taps[2], 1'000'000'000'000}});
    for (std::size_t frame = 1250; frame < 4000; frame += 3) {
      CHECK(std::abs(static_cast<double>(at(out.planar(), 0, frame)) - slow_sum(between, in, 0, frame)) <=
            kRounding);  // of the second fade, less than 1e-8 is over
    }
  }
}

void memory_may_lie_in_any_way() {
  for (const std::size_t length : {31U, 1000U}) {
    const Taps taps = random_taps(length);
    Fir fir(taps, 3);
    const Buffer in = noise(3, 2000);
    const Buffer expected = filtered(fir, in);
    for (const Layout layout : neutone::test::kLayouts) {
      fir.reset();
      const Buffer audio(3, 2000, layout);
      neutone::dsp::copy_frames<float>(in.planar(), audio.planar());
      fir.process(audio.planar(), audio.planar());
      CHECK(n_different(audio.planar(), expected.planar()) == 0);
    }
  }
}

void denormals_are_flushed_and_the_callers_mode_comes_back() {
  for (const std::size_t length : {31U, 1000U}) {
    Fir fir(random_taps(length), 1);
    const Buffer audio = constant(1, 3000, 1e-39F);
    fir.process(audio.planar(), audio.planar());
    CHECK(n_different(audio.planar(), constant(1, 3000, 0.0F).planar()) == 0);
  }
  CHECK(!flushes_to_zero());
}

template <typename Sum>
std::vector<float> direct_sums(const Sum& sum, const Taps& taps, const Buffer& in, std::size_t frames) {
  const std::vector<float> rounded(taps.begin(), taps.end());
  std::vector<float> out(frames + neutone::dsp::kMaxDirectLanes);
  sum(neutone::dsp::DirectSum{rounded.data(), rounded.size(), in.planar().data + taps.size(), frames, out.data()});
  out.resize(frames);
  return out;
}

void all_kernels_agree() {
  for (const std::size_t length : {1U, 16U, 31U, 128U, 500U}) {
    for (const std::size_t frames : {1U, 7U, 16U, 100U, 256U}) {
      const Taps taps = random_taps(length);
      const Buffer in = noise(1, length + frames + neutone::dsp::kMaxDirectLanes);
      const auto check = [&](const std::vector<float>& out) {
        for (std::size_t i = 0; i < frames; ++i) {
          CHECK(std::abs(static_cast<double>(out[i]) - slow_sum(taps, in, 0, length + i)) <= kRounding);
        }
      };
      for (const auto& kernel : neutone::dsp::fir_kernels()) check(direct_sums(kernel.sum_directly, taps, in, frames));
      // The form for 64-byte vectors, also where the processor has none.
      check(direct_sums([](const auto& sum) { neutone::dsp::kernel::sum_directly<16>(sum); }, taps, in, frames));
    }
  }
}

void taps_that_make_no_sense_are_refused() {
  using neutone::test::check_throws;
  const auto make = [](const Taps& taps) { return [&taps] { Fir fir(taps, 1); }; };
  check_throws<std::invalid_argument>(make({}));
  check_throws<std::invalid_argument>(make(Taps(neutone::dsp::kMaxFirTaps + 1)));
  check_throws<std::invalid_argument>(make({1.0, std::numeric_limits<double>::quiet_NaN()}));
  check_throws<std::invalid_argument>(make({1e39}));
  Fir fir(Taps(31), 1);
  check_throws<std::invalid_argument>([&fir] { fir.set_taps(Taps(30), 10); });
  check_throws<std::invalid_argument>([&fir] { fir.set_taps(Taps(31, std::numeric_limits<double>::infinity()), 10); });
}

}  // namespace

int main() {
  return neutone::test::run_tests({
      TEST(how_the_stream_is_cut_changes_no_bit),
      TEST(the_output_is_the_sum_of_products),
      TEST(the_longest_filter_reaches_its_last_tap),
      TEST(tones_pass_and_stop),
      TEST(a_reset_filter_is_a_fresh_one),
      TEST(latency_declared_is_latency_measured),
      TEST(channels_do_not_touch_each_other),
      TEST(what_is_not_finite_is_gone_when_the_header_says),
      TEST(new_taps_fade_in_linearly),
      TEST(a_fade_begins_with_what_the_last_one_had_come_to),
      TEST(memory_may_lie_in_any_way),
      TEST(denormals_are_flushed_and_the_callers_mode_comes_back),
      TEST(all_kernels_agree),
      TEST(taps_that_make_no_sense_are_refused),
  });
}
