#pragma once

// Other people's resamplers behind one interface: `process` takes in interleaved frames and returns how many came out.
// Each stands here only where CMake has found its library.

#include <cstddef>
#include <memory>
#include <span>

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

namespace neutone::bench {

struct Rates {
  int from_hz;
  int to_hz;
};

#ifdef NEUTONE_HAS_SOXR
template <std::size_t kChannels>
class Soxr {
 public:
  explicit Soxr(Rates rates) {
    const soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
    const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
    const soxr_runtime_spec_t one_thread = soxr_runtime_spec(1);
    soxr_.reset(soxr_create(rates.from_hz, rates.to_hz, kChannels, nullptr, &io, &quality, &one_thread));
  }
  std::size_t process(std::span<float> in, std::span<float> out) {
    std::size_t produced = 0;
    soxr_process(soxr_.get(), in.data(), in.size() / kChannels, nullptr, out.data(), out.size() / kChannels, &produced);
    return produced;
  }

 private:
  std::unique_ptr<soxr, decltype(&soxr_delete)> soxr_{nullptr, soxr_delete};
};
#endif

#ifdef NEUTONE_HAS_SAMPLERATE
template <std::size_t kChannels>
class Samplerate {
 public:
  explicit Samplerate(Rates rates) : ratio_(static_cast<double>(rates.to_hz) / rates.from_hz) {
    int error = 0;
    state_.reset(src_new(SRC_SINC_MEDIUM_QUALITY, kChannels, &error));
  }
  std::size_t process(std::span<float> in, std::span<float> out) {
    SRC_DATA data{};
    data.data_in = in.data();
    data.data_out = out.data();
    data.input_frames = static_cast<long>(in.size() / kChannels);
    data.output_frames = static_cast<long>(out.size() / kChannels);
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
template <std::size_t kChannels, unsigned kHalfLength>
class Zita {
 public:
  explicit Zita(Rates rates) {
    resampler_.setup(static_cast<unsigned>(rates.from_hz), static_cast<unsigned>(rates.to_hz), kChannels, kHalfLength);
  }
  std::size_t process(std::span<float> in, std::span<float> out) {
    resampler_.inp_count = static_cast<unsigned>(in.size() / kChannels);
    resampler_.inp_data = in.data();
    resampler_.out_count = static_cast<unsigned>(out.size() / kChannels);
    resampler_.out_data = out.data();
    resampler_.process();
    return out.size() / kChannels - resampler_.out_count;
  }

 private:
  ::Resampler resampler_;
};
#endif

#ifdef NEUTONE_HAS_SPEEXDSP
template <std::size_t kChannels>
class Speex {
 public:
  explicit Speex(Rates rates) {
    int error = 0;
    state_.reset(speex_resampler_init(kChannels, static_cast<spx_uint32_t>(rates.from_hz),
                                      static_cast<spx_uint32_t>(rates.to_hz), SPEEX_RESAMPLER_QUALITY_MAX, &error));
  }
  std::size_t process(std::span<float> in, std::span<float> out) {
    auto taken = static_cast<spx_uint32_t>(in.size() / kChannels);
    auto produced = static_cast<spx_uint32_t>(out.size() / kChannels);
    speex_resampler_process_interleaved_float(state_.get(), in.data(), &taken, out.data(), &produced);
    return produced;
  }

 private:
  std::unique_ptr<SpeexResamplerState, decltype(&speex_resampler_destroy)> state_{nullptr, speex_resampler_destroy};
};
#endif

// Calls `add.template operator()<Library>(name)` for each library that there is, `missing(name, package)` for others.
template <std::size_t kChannels, typename Add, typename Missing>
void each_resampler_library([[maybe_unused]] const Add& add, [[maybe_unused]] const Missing& missing) {
#ifdef NEUTONE_HAS_SOXR
  add.template operator()<Soxr<kChannels>>("soxr HQ");
#else
  missing("soxr", "libsoxr-dev");
#endif
#ifdef NEUTONE_HAS_ZITA
  add.template operator()<Zita<kChannels, 48>>("zita-resampler hlen 48");
  add.template operator()<Zita<kChannels, 16>>("zita-resampler hlen 16");
#else
  missing("zita-resampler", "libzita-resampler-dev");
#endif
#ifdef NEUTONE_HAS_SAMPLERATE
  add.template operator()<Samplerate<kChannels>>("libsamplerate medium");
#else
  missing("libsamplerate", "libsamplerate0-dev");
#endif
#ifdef NEUTONE_HAS_SPEEXDSP
  add.template operator()<Speex<kChannels>>("speexdsp quality 10");
#else
  missing("speexdsp", "libspeexdsp-dev");
#endif
}

}  // namespace neutone::bench
