// What resampling costs. Usage: resampler [--rounds N] [--json FILE]
//
// Nanoseconds per output frame and channel, stereo, in blocks of 512 frames, beside the libraries that are installed.

#include "dsp/resampler.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "options.h"
#include "report.h"
#include "threads.h"

#ifdef NEUTONE_HAS_SOXR
#include <soxr.h>
#endif
#ifdef NEUTONE_HAS_SAMPLERATE
#include <samplerate.h>
#endif
#ifdef NEUTONE_HAS_ZITA
#include <zita-resampler/resampler.h>
#endif
#ifdef NEUTONE_HAS_SPEEXDSP
#include <speex/speex_resampler.h>
#endif

using neutone::benchmark::Case;
using neutone::dsp::ResamplerQuality;

namespace {

constexpr std::size_t kChannels = 2;
constexpr std::size_t kFrames = 512;
constexpr std::size_t kRoom = 4096;
constexpr std::size_t kBlocksPerRound = 200;
constexpr std::size_t kDefaultRounds = 101;

struct Rates {
  int from_hz;
  int to_hz;
};

// The same noise, planar and interleaved; the libraries want the one or the other.
struct Blocks {
  std::vector<float> planar = std::vector<float>(kChannels * kFrames);
  std::vector<float> interleaved = std::vector<float>(kChannels * kFrames);
  std::vector<float> out = std::vector<float>(kChannels * kRoom);

  explicit Blocks(float amplitude) {
    std::uint32_t state = 1;
    for (std::size_t i = 0; i < planar.size(); ++i) {
      state = state * 1664525U + 1013904223U;
      planar[i] = amplitude * (static_cast<float>(state) / 4294967296.0F - 0.5F);
      interleaved[(i % kFrames) * kChannels + i / kFrames] = planar[i];
    }
  }
};

// Each takes in a block and returns how many frames came out.

template <typename Real, ResamplerQuality kQuality>
class Ours {
 public:
  explicit Ours(Rates rates) : resampler_(rates.from_hz, rates.to_hz, kQuality, kChannels) {}
  std::size_t pass(Blocks& blocks) {
    return resampler_
        .process({blocks.planar.data(), kChannels, kFrames, kFrames, 1},
                 {blocks.out.data(), kChannels, kRoom, kRoom, 1})
        .produced;
  }

 private:
  neutone::dsp::Resampler<Real> resampler_;
};

// The textbook's way, with as many taps: one sum after the other, one sample at a time.
class PlainLoop {
 public:
  explicit PlainLoop(Rates rates)
      : plan_(neutone::dsp::plan_resampler(rates.from_hz, rates.to_hz, ResamplerQuality::kStandard)),
        history_(kChannels * (plan_.taps + kFrames)) {
    for (const double value : neutone::dsp::design_resampler(plan_, ResamplerQuality::kStandard)) {
      table_.push_back(static_cast<float>(value));
    }
  }
  std::size_t pass(Blocks& blocks) {
    const std::size_t stride = plan_.taps + kFrames;
    std::size_t produced = 0;
    for (std::size_t channel = 0; channel < kChannels; ++channel) {
      float* const history = history_.data() + channel * stride;
      std::copy_n(blocks.planar.data() + channel * kFrames, kFrames, history + plan_.taps);
      produced = 0;
      for (std::int64_t at = position_; at < static_cast<std::int64_t>(kFrames) * plan_.up; at += plan_.down) {
        const float* const row = table_.data() + static_cast<std::size_t>(at % plan_.up) * plan_.taps;
        const float* const window = history + at / plan_.up + 1;
        float sum = 0.0F;
        for (std::size_t tap = 0; tap < plan_.taps; ++tap) sum += row[tap] * window[tap];
        blocks.out[channel * kRoom + produced++] = sum;
      }
      std::copy_n(history + kFrames, plan_.taps, history);
    }
    position_ += static_cast<std::int64_t>(produced) * plan_.down - static_cast<std::int64_t>(kFrames) * plan_.up;
    return produced;
  }

 private:
  neutone::dsp::ResamplerPlan plan_;
  std::vector<float> table_;
  std::vector<float> history_;
  std::int64_t position_ = 0;
};

#ifdef NEUTONE_HAS_SOXR
class Soxr {
 public:
  explicit Soxr(Rates rates) {
    const soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
    const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
    const soxr_runtime_spec_t one_thread = soxr_runtime_spec(1);
    soxr_.reset(soxr_create(rates.from_hz, rates.to_hz, kChannels, nullptr, &io, &quality, &one_thread));
  }
  std::size_t pass(Blocks& blocks) {
    std::size_t produced = 0;
    soxr_process(soxr_.get(), blocks.interleaved.data(), kFrames, nullptr, blocks.out.data(), kRoom, &produced);
    return produced;
  }

 private:
  std::unique_ptr<soxr, decltype(&soxr_delete)> soxr_{nullptr, soxr_delete};
};
#endif

#ifdef NEUTONE_HAS_SAMPLERATE
class Samplerate {
 public:
  explicit Samplerate(Rates rates) : ratio_(static_cast<double>(rates.to_hz) / rates.from_hz) {
    int error = 0;
    state_.reset(src_new(SRC_SINC_MEDIUM_QUALITY, kChannels, &error));
  }
  std::size_t pass(Blocks& blocks) {
    SRC_DATA data{};
    data.data_in = blocks.interleaved.data();
    data.data_out = blocks.out.data();
    data.input_frames = kFrames;
    data.output_frames = kRoom;
    data.src_ratio = ratio_;
    src_process(state_.get(), &data);
    return static_cast<std::size_t>(data.output_frames_gen);
  }

 private:
  double ratio_;
  std::unique_ptr<SRC_STATE, decltype(&src_delete)> state_{nullptr, src_delete};
};
#endif

#ifdef NEUTONE_HAS_ZITA
template <unsigned kHalfLength>
class Zita {
 public:
  explicit Zita(Rates rates) {
    resampler_.setup(static_cast<unsigned>(rates.from_hz), static_cast<unsigned>(rates.to_hz), kChannels, kHalfLength);
  }
  std::size_t pass(Blocks& blocks) {
    resampler_.inp_count = kFrames;
    resampler_.inp_data = blocks.interleaved.data();
    resampler_.out_count = kRoom;
    resampler_.out_data = blocks.out.data();
    resampler_.process();
    return kRoom - resampler_.out_count;
  }

 private:
  ::Resampler resampler_;
};
#endif

#ifdef NEUTONE_HAS_SPEEXDSP
class Speex {
 public:
  explicit Speex(Rates rates) {
    int error = 0;
    state_.reset(speex_resampler_init(kChannels, static_cast<spx_uint32_t>(rates.from_hz),
                                      static_cast<spx_uint32_t>(rates.to_hz), SPEEX_RESAMPLER_QUALITY_MAX, &error));
  }
  std::size_t pass(Blocks& blocks) {
    spx_uint32_t in = kFrames;
    spx_uint32_t out = kRoom;
    speex_resampler_process_interleaved_float(state_.get(), blocks.interleaved.data(), &in, blocks.out.data(), &out);
    return out;
  }

 private:
  std::unique_ptr<SpeexResamplerState, decltype(&speex_resampler_destroy)> state_{nullptr, speex_resampler_destroy};
};
#endif

template <typename Library>
double ns_per_frame_and_channel(Library& library, Blocks& blocks, Rates rates) {
  std::size_t frames = 0;
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < kBlocksPerRound; ++i) frames += library.pass(blocks);
  const std::chrono::duration<double, std::nano> elapsed = std::chrono::steady_clock::now() - start;
  // More or less, because some libraries work in large blocks of their own.
  const double expected = static_cast<double>(kBlocksPerRound * kFrames) * rates.to_hz / rates.from_hz;
  if (std::abs(static_cast<double>(frames) - expected) > 0.1 * expected) throw std::logic_error("frames were lost");
  return elapsed.count() / static_cast<double>(frames * kChannels);
}

template <typename Library>
Case library_case(const std::string& name, const std::string& baseline, Rates rates, Blocks& blocks) {
  return {name,
          baseline,
          [rates, &blocks, library = std::make_shared<Library>(rates)] {
            return ns_per_frame_and_channel(*library, blocks, rates);
          },
          {}};
}

std::vector<Case> all_cases(Rates rates, Blocks& blocks, Blocks& denormals) {
  const std::string standard = "neutone standard";
  std::vector<Case> cases{
      library_case<Ours<float, ResamplerQuality::kStandard>>(standard, standard, rates, blocks),
      library_case<Ours<float, ResamplerQuality::kLowLatency>>("neutone low_latency", standard, rates, blocks),
      library_case<Ours<double, ResamplerQuality::kHigh>>("neutone high", standard, rates, blocks),
      library_case<Ours<float, ResamplerQuality::kStandard>>("neutone standard, denormals", standard, rates, denormals),
      library_case<PlainLoop>("plain loop, as many taps", standard, rates, blocks)};
#ifdef NEUTONE_HAS_SOXR
  cases.push_back(library_case<Soxr>("soxr HQ", standard, rates, blocks));
#endif
#ifdef NEUTONE_HAS_SAMPLERATE
  cases.push_back(library_case<Samplerate>("libsamplerate medium", standard, rates, blocks));
#endif
#ifdef NEUTONE_HAS_ZITA
  cases.push_back(library_case<Zita<48>>("zita-resampler hlen 48", standard, rates, blocks));
  cases.push_back(library_case<Zita<16>>("zita-resampler hlen 16", standard, rates, blocks));
#endif
#ifdef NEUTONE_HAS_SPEEXDSP
  cases.push_back(library_case<Speex>("speexdsp quality 10", standard, rates, blocks));
#endif
  return cases;
}

void say_what_is_missing() {
#ifndef NEUTONE_HAS_SOXR
  std::cout << "not installed: soxr (Debian: libsoxr-dev)\n";
#endif
#ifndef NEUTONE_HAS_SAMPLERATE
  std::cout << "not installed: libsamplerate (Debian: libsamplerate0-dev)\n";
#endif
#ifndef NEUTONE_HAS_ZITA
  std::cout << "not installed: zita-resampler (Debian: libzita-resampler-dev)\n";
#endif
#ifndef NEUTONE_HAS_SPEEXDSP
  std::cout << "not installed: speexdsp (Debian: libspeexdsp-dev)\n";
#endif
}

void run(std::span<char*> arguments) {
  const auto options = neutone::benchmark::parse_options(arguments, kDefaultRounds);
  say_what_is_missing();
  neutone::benchmark::pin_to_core(0);
  constexpr float kDenormal = 1e-39F;
  Blocks blocks(1.0F);
  Blocks denormals(kDenormal);
  std::vector<Case> measured;
  for (const Rates rates : {Rates{44'100, 48'000}, Rates{48'000, 44'100}}) {
    std::vector<Case> cases = all_cases(rates, blocks, denormals);
    neutone::benchmark::measure_in_rounds(cases, options.rounds, [](std::size_t) {});
    std::cout << rates.from_hz << " to " << rates.to_hz << " Hz, ns per output frame and channel, stereo, blocks of "
              << kFrames << "; " << neutone::dsp::resampler_kernel().name << "\n";
    neutone::benchmark::print_table(cases);
    const std::string prefix = std::to_string(rates.from_hz) + " to " + std::to_string(rates.to_hz) + ", ";
    for (Case& row : cases) {
      row.name.insert(0, prefix);
      row.baseline.insert(0, prefix);
    }
    measured.insert(measured.end(), cases.begin(), cases.end());
  }
  if (!options.json_path.empty()) neutone::benchmark::write_json(measured, options.json_path);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(std::span(argv, static_cast<std::size_t>(argc)).subspan(1));
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\nusage: resampler [--rounds N] [--json FILE]\n";
    return EXIT_FAILURE;
  }
}
