#include "dsp/resampled_stream.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>

#include "buffer.h"
#include "check.h"
#include "compare.h"
#include "resamplers.h"
#include "signals.h"

using namespace neutone::test;  // NOLINT(google-build-using-namespace): all of it is for these tests
using neutone::dsp::SpscRing;

namespace {

constexpr std::size_t kFrames = 20'000;
constexpr std::size_t kRingFrames = 1024;  // the stream wraps many times
constexpr std::size_t kLargestBlock = 400;

std::size_t expected_frames(const ResamplerPlan& plan) {
  return static_cast<std::size_t>(static_cast<std::int64_t>(kFrames) * plan.up / plan.down);
}

void what_is_queued_is_what_the_resampler_puts_out() {
  for (const auto to_hz : {48'000, 22'050}) {
    Viewed resampler({44'100, to_hz}, 2);
    SpscRing<float> ring(2, kRingFrames);
    const Buffer audio = noise(2, kFrames);
    std::mt19937_64 random(seed());
    std::uniform_int_distribution<std::size_t> block(0, kLargestBlock);
    const Buffer queued(2, expected_frames(resampler.plan));
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
    const Buffer expected(2, produced);
    CHECK(alone.process(audio.planar(), expected.planar()).produced == produced);
    CHECK(n_different(queued.planar(), expected.planar()) == 0);
  }
}

void what_is_taken_is_what_the_resampler_puts_out() {
  for (const auto to_hz : {48'000, 22'050}) {
    Viewed resampler({44'100, to_hz}, 2);
    SpscRing<float> ring(2, kRingFrames);
    const Buffer audio = noise(2, kFrames);
    std::mt19937_64 random(seed());
    std::uniform_int_distribution<std::size_t> block(0, kLargestBlock / 2);
    const Buffer taken(2, expected_frames(resampler.plan));
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
    const Buffer expected(2, taken.planar().frames);
    static_cast<void>(alone.process(audio.planar(), expected.planar()));
    CHECK(n_different(taken.planar(), expected.planar()) == 0);
  }
}

}  // namespace

int main() {
  return run_tests({
      TEST(what_is_queued_is_what_the_resampler_puts_out),
      TEST(what_is_taken_is_what_the_resampler_puts_out),
  });
}
