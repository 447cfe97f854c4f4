#include <cmath>
#include <cstddef>
#include <initializer_list>
#include <limits>
#include <stdexcept>

#include "buffer.h"
#include "check.h"
#include "compare.h"
#include "denormals.h"
#include "dsp/resampler.h"
#include "resamplers.h"
#include "signals.h"

using namespace neutone::test;  // NOLINT(google-build-using-namespace): all of it is for these tests
using neutone::dsp::plan_resampler;

namespace {

void what_is_not_finite_is_gone_after_the_filters_length() {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    Resampler<float> dirty(44'100, 48'000, ResamplerQuality::kStandard, 2);
    Resampler<float> clean(44'100, 48'000, ResamplerQuality::kStandard, 2);
    const Buffer in = noise(2, 3000);
    const Buffer expected = resampled(clean, in.planar());
    at(in.planar(), 0, 500) = bad;
    const Buffer out = resampled(dirty, in.planar());
    const auto length = dirty.plan().taps;
    const std::size_t first = 500 * 160 / 147;
    const std::size_t behind = (500 + length + 1) * 160 / 147 + 1;
    CHECK(!std::isfinite(at(out.planar(), 0, first + 50)));
    for (std::size_t frame = 0; frame < out.planar().frames; ++frame) {
      if (frame < first || frame > behind) CHECK(at(out.planar(), 0, frame) == at(expected.planar(), 0, frame));
      CHECK(at(out.planar(), 1, frame) == at(expected.planar(), 1, frame));
    }
  }
}

// Windows of neighbouring frames are computed together: none may see what belongs to another.
template <typename Real>
void check_cuts_of_what_is_not_finite(const Rates& rates, ResamplerQuality quality, std::size_t channels) {
  Resampler<Real> resampler(rates.from_hz, rates.to_hz, quality, channels);
  const Buffer in = noise(channels, 4000);
  at(in.planar(), 0, 700) = std::numeric_limits<float>::quiet_NaN();
  at(in.planar(), channels - 1, 1500) = std::numeric_limits<float>::infinity();
  const Buffer whole = resampled(resampler, in.planar());
  resampler.reset();
  const Buffer out(channels, whole.planar().frames);
  std::size_t left = out.planar().frames;
  for (std::size_t consumed = 0; consumed < in.planar().frames; ++consumed) {
    left -= resampler.process(in.planar().slice_frames(consumed, 1), out.last(left)).produced;
  }
  CHECK(is_same(out.planar(), whole.planar()));
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
  const Buffer out = resampled(resampler, constant(1, 2000, 1e-39F).planar());
  CHECK(n_different(out.planar(), constant(1, out.planar().frames, 0.0F).planar()) == 0);
  CHECK(!flushes_to_zero());
}

void rates_that_make_no_sense_are_refused() {
  for (const auto& [from_hz, to_hz] : std::initializer_list<Rates>{
           {0, 48'000}, {48'000, 0}, {-1, 48'000}, {48'000, 768'001}, {768'000, 2'000}, {100, 48'000}}) {
    check_throws<std::invalid_argument>(
        [&] { static_cast<void>(plan_resampler(from_hz, to_hz, ResamplerQuality::kStandard)); });
  }
}

}  // namespace

int main() {
  return run_tests({
      TEST(what_is_not_finite_is_gone_after_the_filters_length),
      TEST(what_is_not_finite_comes_out_at_the_same_place_however_the_stream_is_cut),
      TEST(denormals_are_flushed_and_the_callers_mode_comes_back),
      TEST(rates_that_make_no_sense_are_refused),
  });
}
