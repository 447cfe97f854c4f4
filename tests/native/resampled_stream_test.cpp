#include "dsp/resampled_stream.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "buffer.h"
#include "check.h"

using neutone::dsp::design_resampler;
using neutone::dsp::plan_resampler;
using neutone::dsp::Resampler;
using neutone::dsp::ResamplerCursor;
using neutone::dsp::ResamplerPlan;
using neutone::dsp::ResamplerQuality;
using neutone::dsp::ResamplerView;
using neutone::dsp::SpscRing;
using neutone::test::Buffer;

namespace {

constexpr std::size_t kFrames = 20'000;
constexpr std::size_t kRingFrames = 1024;  // the stream wraps many times
constexpr std::size_t kLargestBlock = 400;

Buffer noise(std::size_t channels) {
  std::mt19937_64 random(neutone::test::seed());
  std::uniform_real_distribution<float> uniform(-1.0F, 1.0F);
  Buffer buffer(channels, kFrames);
  for (std::size_t channel = 0; channel < channels; ++channel) {
    std::generate_n(buffer.planar().row(channel), kFrames, [&] { return uniform(random); });
  }
  return buffer;
}

// A resampler that views memory of its own, at the start of its stream.
struct Viewed {
  ResamplerPlan plan;
  std::vector<float> table;
  Buffer history;
  ResamplerCursor cursor;
  ResamplerView<float> view;

  Viewed(std::int64_t from_hz, std::int64_t to_hz, std::size_t channels)
      : plan(plan_resampler(from_hz, to_hz, ResamplerQuality::kStandard)),
        history(channels, ResamplerView<float>::history_frames(plan)),
        view(plan, filled(table, plan), history.planar(), cursor) {
    view.start(plan.down - 1);
  }

 private:
  static const float* filled(std::vector<float>& table, const ResamplerPlan& plan) {
    for (const double value : design_resampler(plan, ResamplerQuality::kStandard)) {
      table.push_back(static_cast<float>(value));
    }
    return table.data();
  }
};

std::size_t expected_frames(const ResamplerPlan& plan) {
  return static_cast<std::size_t>(static_cast<std::int64_t>(kFrames) * plan.up / plan.down);
}

void what_is_queued_is_what_the_resampler_puts_out() {
  for (const auto to_hz : {48'000, 22'050}) {
    Viewed resampler(44'100, to_hz, 2);
    SpscRing<float> ring(2, kRingFrames);
    const Buffer audio = noise(2);
    std::mt19937_64 random(neutone::test::seed());
    std::uniform_int_distribution<std::size_t> block(0, kLargestBlock);
    Buffer queued(2, expected_frames(resampler.plan));
    std::size_t produced = 0;
    for (std::size_t consumed = 0; consumed < kFrames;) {
      const std::size_t count = std::min(block(random), kFrames - consumed);
      write_resampled(audio.planar().slice_frames(consumed, count), resampler.view, ring.view());
      consumed += count;
      const std::size_t left = queued.planar().frames - produced;
      produced += ring->read(queued.planar().slice_frames(produced, left));
    }
    CHECK(produced == queued.planar().frames);

    Resampler<float> alone(44'100, to_hz, ResamplerQuality::kStandard, 2);
    Buffer expected(2, produced);
    CHECK(alone.process(audio.planar(), expected.planar()).produced == produced);
    for (std::size_t channel = 0; channel < 2; ++channel) {
      CHECK(std::equal(expected.planar().row(channel), expected.planar().row(channel) + produced,
                       queued.planar().row(channel)));
    }
  }
}

void what_is_taken_is_what_the_resampler_puts_out() {
  for (const auto to_hz : {48'000, 22'050}) {
    Viewed resampler(44'100, to_hz, 2);
    SpscRing<float> ring(2, kRingFrames);
    const Buffer audio = noise(2);
    std::mt19937_64 random(neutone::test::seed());
    std::uniform_int_distribution<std::size_t> block(0, kLargestBlock / 2);
    Buffer taken(2, expected_frames(resampler.plan));
    std::size_t queued = 0;
    for (std::size_t produced = 0; produced < taken.planar().frames;) {
      const std::size_t count = std::min(block(random), taken.planar().frames - produced);
      const std::size_t missing = resampler.view.missing(count);
      while (ring->size() < missing) queued += ring->write(audio.planar().slice_frames(queued, 1));
      const std::size_t before = ring->size();
      read_resampled(ring.view(), resampler.view, taken.planar().slice_frames(produced, count));
      CHECK(before - ring->size() == missing);
      produced += count;
    }

    Resampler<float> alone(44'100, to_hz, ResamplerQuality::kStandard, 2);
    Buffer expected(2, taken.planar().frames);
    static_cast<void>(alone.process(audio.planar(), expected.planar()));
    for (std::size_t channel = 0; channel < 2; ++channel) {
      CHECK(std::equal(expected.planar().row(channel), expected.planar().row(channel) + expected.planar().frames,
                       taken.planar().row(channel)));
    }
  }
}

}  // namespace

int main() {
  return neutone::test::run_tests({
      TEST(what_is_queued_is_what_the_resampler_puts_out),
      TEST(what_is_taken_is_what_the_resampler_puts_out),
  });
}
