#include <array>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#include "allocation_counter.h"
#include "buffer.h"
#include "check.h"
#include "dsp/biquad.h"
#include "dsp/channels.h"
#include "dsp/control_stream.h"
#include "dsp/fir.h"
#include "dsp/host_stream.h"
#include "dsp/parameters.h"
#include "dsp/resampled_stream.h"
#include "dsp/resampler.h"
#include "dsp/spsc_ring.h"
#include "dsp/svf.h"
#include "engine/engine.h"
#include "engine_models.h"
#include "stamps.h"

using neutone::dsp::SpscRing;
using neutone::test::Buffer;
using neutone::test::count_heap_calls;
using neutone::test::stamped;

namespace {

constexpr std::size_t kFrames = 512;

// Keeps compilers from leaving out a pair of allocation and release that nothing looks at.
template <typename Value>
void use(Value value) {
  static_cast<void>(*const_cast<const volatile Value*>(&value));
}

struct alignas(2 * alignof(std::max_align_t)) OverAligned {
  float value = 0.0F;
};

void planted_cpp_allocations_are_counted() {
  CHECK(count_heap_calls([] { use(std::make_unique<float>(1.0F).get()); }) >= 2);
  CHECK(count_heap_calls([] { use(std::make_unique<float[]>(kFrames).get()); }) >= 2);
  CHECK(count_heap_calls([] { use(std::vector<float>(kFrames).data()); }) >= 2);
  CHECK(count_heap_calls([] { use(std::unique_ptr<float>(new (std::nothrow) float).get()); }) >= 2);
}

// NOLINTBEGIN(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory): the very calls that must be seen
void planted_c_allocations_are_counted() {
  if (!neutone::test::counts_malloc()) return;
  CHECK(count_heap_calls([] { use(std::make_unique<OverAligned>().get()); }) >= 2);
  void* memory = nullptr;
  void* grown = nullptr;
  CHECK(count_heap_calls([&] { use(memory = std::malloc(8)); }) == 1);
  CHECK(count_heap_calls([&] { use(grown = std::realloc(memory, 1U << 20U)); }) == 1);
  CHECK(count_heap_calls([&] { std::free(grown); }) == 1);
  CHECK(count_heap_calls([&] { use(memory = std::calloc(8, 8)); }) == 1);
  std::free(memory);
#ifdef __unix__  // Windows' C library has neither
  CHECK(count_heap_calls([&] { use(memory = std::aligned_alloc(64, 64)); }) == 1);
  std::free(memory);
  CHECK(count_heap_calls([&] { use(posix_memalign(&memory, 64, 64)); }) == 1);
  std::free(memory);
#endif
}
// NOLINTEND(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory)

// Twice the capacity goes through, so that the ring is full, empty and wraps.
void passing_frames_does_not_allocate() {
  SpscRing<float> ring(2, 2 * kFrames - 1);
  const Buffer in = stamped(2, kFrames, 0);
  const Buffer out(2, kFrames);
  std::size_t passed = 0;
  const std::size_t calls = count_heap_calls([&] {
    for (int i = 0; i < 5; ++i) {
      passed += ring->write(in.planar()) + ring->write(in.first(100));
      passed += ring->peek(out.planar()) + ring->newest(out.planar());
      passed += ring->read(out.planar()) + ring->skip(10) + ring->size();
    }
  });
  CHECK(passed > 0);
  CHECK(calls == 0);
}

void reserving_and_consuming_in_place_does_not_allocate() {
  SpscRing<float> ring(2, 2 * kFrames - 1);
  const std::size_t calls = count_heap_calls([&ring] {
    for (const std::size_t frames : {kFrames, kFrames - 100, kFrames, 2 * kFrames}) {
      const auto room = ring->reserve(frames);
      ring->publish(room.frames());
      ring->consume(ring->readable(frames / 2).frames());
    }
    ring->reset();
  });
  CHECK(calls == 0);
}

void fitting_channels_does_not_allocate() {
  const Buffer mono = stamped(1, kFrames, 0);
  const Buffer stereo(2, kFrames);
  const std::size_t calls = count_heap_calls([&] {
    neutone::dsp::fit_channels<float>(mono.planar(), stereo.planar());
    neutone::dsp::fit_channels<float>(stereo.planar(), stereo.planar());
    neutone::dsp::fit_channels<float>(stereo.planar(), mono.planar());
  });
  CHECK(calls == 0);
}

void reading_parameters_does_not_allocate() {
  const Buffer curve = stamped(1, kFrames, 0);
  float sum = 0.0F;
  const std::size_t calls = count_heap_calls([&] {
    sum += neutone::dsp::mean(curve.planar().data, 1, kFrames);
    sum += neutone::dsp::mean(curve.planar().data, 2, kFrames / 2);
    sum += neutone::dsp::ParameterRange{0.0F, 3.0F, true}.from_0to1(0.5F);
  });
  CHECK(sum > 0.0F);
  CHECK(calls == 0);
}

void resampling_allocates_nothing() {
  using neutone::dsp::ResamplerQuality;
  Buffer in(2, kFrames);
  Buffer out(2, 2 * kFrames);
  for (const auto quality : {ResamplerQuality::kLowLatency, ResamplerQuality::kStandard}) {
    neutone::dsp::Resampler<float> to_48k(44'100, 48'000, quality, 2);
    neutone::dsp::Resampler<float> interpolated(44'100, 47'999, quality, 2);
    neutone::dsp::Resampler<double> precise(96'000, 44'100, ResamplerQuality::kHigh, 2);
    CHECK(count_heap_calls([&] {
            for (int block = 0; block < 20; ++block) {
              use(to_48k.process(in.planar(), out.planar()).produced);
              use(interpolated.process(in.planar(), out.planar()).produced);
              use(precise.process(in.planar(), out.planar()).produced);
            }
            to_48k.reset();
          }) == 0);
  }
}

void resampled_streams_allocate_nothing() {
  using neutone::dsp::ResamplerCursor;
  using neutone::dsp::ResamplerView;
  const auto plan = neutone::dsp::plan_resampler(44'100, 48'000, neutone::dsp::ResamplerQuality::kStandard);
  const std::vector<float> table(plan.rows * plan.taps);
  Buffer history(2, ResamplerView<float>::history_frames(plan));
  ResamplerCursor cursor;
  ResamplerView<float> resampler(plan, table.data(), history.planar(), cursor);
  SpscRing<float> ring(2, 4 * kFrames);
  Buffer audio(1, kFrames);
  Buffer out(2, kFrames);
  resampler.start(plan.down - 1);
  CHECK(count_heap_calls([&] {
          for (int block = 0; block < 20; ++block) {
            neutone::dsp::write_resampled(audio.planar(), resampler, ring.view());
            neutone::dsp::read_resampled(ring.view(), resampler, out.first(ring->size() / 2));
            use(ring->skip(ring->size()));
          }
        }) == 0);
}

void streams_between_host_and_model_allocate_nothing() {
  constexpr neutone::dsp::HostStreamSettings kSettings{1, kFrames, kFrames, 2, 1, 4, 0b10, 0, {}};
  for (const std::int64_t model_hz : {44'100, 48'000}) {
    const auto header = neutone::dsp::HostStreamHeader::planned(kSettings, 44'100, model_hz);
    const neutone::dsp::AlignedBuffer<float> memory(neutone::dsp::HostStreamLayout(header).size);
    Buffer audio = stamped(2, kFrames, 0);
    Buffer heard(2, kFrames);
    Buffer params(4, kFrames);
    const std::array<float, 4> knobs{0.1F, 0.2F, 0.3F, 0.4F};
    neutone::dsp::HostStreamView::make(header, {knobs.data(), 4, 1, 1, 1}, memory.data());
    neutone::dsp::HostStreamView stream(memory.data());
    CHECK(count_heap_calls([&] {
            stream.start(neutone::dsp::HostStreamMode::kDelayed, stream.beginning(2 * kFrames, 0));
            for (int block = 0; block < 20; ++block) {
              if (!stream.has_room(kFrames)) return;
              stream.push({audio.planar(), {knobs.data(), 4, kFrames, 1, 0}});
              for (std::size_t left = stream.full_blocks(); left > 0 && stream.has_block(); --left) {
                stream.take(heard.planar(), params.planar());
                stream.put(heard.planar().slice_channels(0, 1));
              }
              if (stream.ready_after(0) >= kFrames) stream.pop(audio.planar());
            }
          }) == 0);
  }
}

void filtering_with_biquads_does_not_allocate() {
  const std::vector<neutone::dsp::BiquadSection> sections(5, {0.1, 0.0, 0.0, -0.9, 0.0});
  neutone::dsp::BiquadCascade filter(sections, 3);
  Buffer audio(3, kFrames);
  CHECK(count_heap_calls([&] {
          filter.process(audio.planar(), audio.planar());
          filter.reset();
        }) == 0);
}

void carrying_and_averaging_controls_allocates_nothing() {
  SpscRing<float> ring(4, kFrames);
  Buffer values(4, kFrames);
  Buffer curves(4, kFrames);
  Buffer means(4, 1);
  constexpr std::array<bool, 4> kStepped{false, true, false, true};
  constexpr neutone::dsp::ControlTimes kTimes{3, 2, 1};
  use(ring->write(values.planar()));
  CHECK(count_heap_calls([&] {
          const auto waiting = ring->readable(kFrames);
          neutone::dsp::average_controls(waiting, kTimes, kFrames, means.planar());
          neutone::dsp::carry_controls(waiting, kTimes, kStepped, curves.planar());
        }) == 0);
}

void state_variable_filtering_allocates_nothing() {
  Buffer audio = stamped(2, kFrames, 0);
  const std::array<float, 3> knobs{1000.0F, 0.7F, 1.0F};
  const auto knob = [&](std::size_t i) { return neutone::dsp::Planar<const float>{&knobs.at(i), 2, kFrames, 0, 0}; };
  const neutone::dsp::Planar<const float> curve = audio.planar();
  neutone::dsp::Svf filter(48'000.0, 2);
  CHECK(count_heap_calls([&] {
          filter.process(audio.planar(), {knob(0), knob(1), knob(2), knob(2), knob(2)}, audio.planar());
          filter.process(audio.planar(), {curve, curve, curve, curve, curve}, audio.planar());
          filter.reset();
        }) == 0);
}

void fir_filters_allocate_nothing() {
  Buffer audio(2, kFrames);
  for (const std::size_t n_taps : {31U, 1000U}) {
    std::vector<double> taps(n_taps, 1.0 / static_cast<double>(n_taps));
    neutone::dsp::Fir fir(taps, 2);
    CHECK(count_heap_calls([&] {
            for (int block = 0; block < 20; ++block) {
              fir.process(audio.planar(), audio.planar());
              fir.set_taps(taps, 700);
            }
            fir.reset();
          }) == 0);
  }
}

// Through full blocks, late ones and missing ones, a reset and a change of models from the first callback to the last.
void playing_a_model_allocates_nothing() {
  using namespace neutone::test;  // NOLINT(google-build-using-namespace): models and hosts for tests of the engine
  const Buffer in = stamped(2, kFrames, 0);
  const Buffer values = stamped(3, kFrames, 0);
  Buffer out(2, kFrames);
  for (const LatencyMode mode : {LatencyMode::kTwoBlocks, LatencyMode::kOneBlock, LatencyMode::kBlocking}) {
    for (const LateOutput late : {LateOutput::kSilence, LateOutput::kDry}) {
      for (const std::int64_t model_hz : {48'000, 44'100}) {
        ModelFormat format = format_of(300, model_hz, 1);
        format.default_params = {0.0F, 1.0F};
        format.are_categorical = {true, false};
        Engine engine(std::make_shared<neutone::engine::WorkerPool>(1));
        engine.set_model(std::make_shared<TestModel>(format, copy_through));
        CHECK(count_heap_calls([&] { engine.process(in.planar(), values.planar(), out.planar()); }) == 0);
        engine.prepare({.max_block_frames = kFrames}, {.latency_mode = mode, .late_output = late});
        const auto play_some = [&] {
          for (std::size_t frames = 0; frames <= kFrames; frames += 8) {
            engine.process(in.first(frames), values.first(frames), out.first(frames));
          }
        };
        CHECK(count_heap_calls(play_some) == 0);
        engine.set_model(identity(200));
        CHECK(count_heap_calls(play_some) == 0);
        CHECK(count_heap_calls([&] {
                engine.reset();
                play_some();
                use(engine.latency_samples());
                use(engine.stats().blocks);
              }) == 0);
      }
    }
  }
}

}  // namespace

int main() {
  return neutone::test::run_tests(
      {TEST(planted_cpp_allocations_are_counted), TEST(planted_c_allocations_are_counted),
       TEST(passing_frames_does_not_allocate), TEST(reserving_and_consuming_in_place_does_not_allocate),
       TEST(fitting_channels_does_not_allocate), TEST(reading_parameters_does_not_allocate),
       TEST(resampling_allocates_nothing), TEST(resampled_streams_allocate_nothing),
       TEST(streams_between_host_and_model_allocate_nothing), TEST(carrying_and_averaging_controls_allocates_nothing),
       TEST(filtering_with_biquads_does_not_allocate), TEST(state_variable_filtering_allocates_nothing),
       TEST(fir_filters_allocate_nothing), TEST(playing_a_model_allocates_nothing)});
}
