// Knobs: a block of 512 values of one knob, beside the memcpy and the sum that a mean cannot do without.

#include "dsp/parameters.h"

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "blocks.h"
#include "dsp/parameter_smoother.h"
#include "suite.h"

namespace neutone::bench {
namespace {

// A curve in 0..1, or partly outside, and room for what becomes of it.
struct Curve {
  std::vector<float> in = std::vector<float>(kFrames);
  std::vector<float> out = std::vector<float>(kFrames);

  explicit Curve(float top = 1.0F) {
    Noise noise(3);
    for (float& value : in) value = top * noise.next();
  }
};

struct Mean : Curve {
  using Curve::Curve;
  float before = 0.0F;
  void pass() { ::benchmark::DoNotOptimize(dsp::mean_cleaned(in.data(), 1, kFrames, before)); }
};

struct PlainSum : Curve {
  void pass() const {
    double sum = 0.0;
    for (const float value : in) sum += static_cast<double>(value);
    ::benchmark::DoNotOptimize(sum);
  }
};

struct Clean : Curve {
  using Curve::Curve;
  float before = 0.0F;
  void pass() {
    before = dsp::copy_cleaned(in.data(), 1, out.data(), kFrames, before);
    ::benchmark::ClobberMemory();
  }
};

struct Memcpy : Curve {
  volatile std::size_t bytes = kFrames * sizeof(float);
  void pass() {
    std::memcpy(out.data(), in.data(), bytes);
    ::benchmark::ClobberMemory();
  }
};

// A knob that moves with each block.
template <dsp::Smoothing kKind>
struct Smooth : Curve {
  dsp::ParameterSmoother smoother;
  std::size_t block = 0;
  void pass() {
    constexpr double k20MsAt48Khz = 960.0;
    smoother.process(kKind, k20MsAt48Khz, static_cast<double>(in[block++ % kFrames]), kFrames,
                     [this](std::size_t i, double value) { out[i] = static_cast<float>(value); });
    ::benchmark::ClobberMemory();
  }
};

template <typename Subject>
void add(const char* group, const char* contender, auto... arguments) {
  add_stateful_case(group, contender, 1.0, [=] { return std::make_unique<Subject>(arguments...); });
}

}  // namespace

void add_cases() {
  add<Mean>("parameters/mean", "neutone");
  add<Mean>("parameters/mean", "neutone, values outside 0..1", 1.5F);
  add<PlainSum>("parameters/mean", "plain sum");
  add<Clean>("parameters/clean copy", "neutone");
  add<Clean>("parameters/clean copy", "neutone, values outside 0..1", 1.5F);
  add<Memcpy>("parameters/clean copy", "memcpy");
  add<Smooth<dsp::Smoothing::kLinear>>("parameters/smoothing", "neutone linear");
  add<Smooth<dsp::Smoothing::kOnePole>>("parameters/smoothing", "neutone one_pole");
}

}  // namespace neutone::bench
