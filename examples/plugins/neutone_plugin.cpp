// A plugin that plays a .nm file: VST3, CLAP and LV2 from one class, with DPF. All that is hard is the engine's.
#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "DistrhoPlugin.hpp"
#include "dry_delay.h"
#include "dsp/parameter_smoother.h"
#include "dsp/planar.h"
#include "engine/engine.h"
#include "host/model.h"
#include "identity.h"
#include "parameters.h"

START_NAMESPACE_DISTRHO

namespace {

namespace dsp = neutone::dsp;
namespace engine = neutone::engine;
namespace example = neutone::example;
namespace host = neutone::host;

constexpr std::size_t kChannels = NEUTONE_PLUGIN_CHANNELS;
constexpr std::size_t kMaxBlockFrames = 8192;  // what is longer is played in pieces
constexpr double kSmoothingSeconds = 0.02;
constexpr const char* kModelKey = "model";

// All plugins of a process share their workers, one less than there are processors.
std::shared_ptr<engine::WorkerPool> shared_workers() {
  static std::mutex mutex;
  static std::weak_ptr<engine::WorkerPool> workers;
  const std::scoped_lock lock(mutex);
  auto pool = workers.lock();
  if (!pool)
    workers = pool = std::make_shared<engine::WorkerPool>(std::max(2U, std::thread::hardware_concurrency()) - 1);
  return pool;
}

// The file that the environment names, empty for none.
std::string model_of_environment() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): whoever changes the environment while plugins load is beyond help
  const char* path = std::getenv("NEUTONE_MODEL");
  return path == nullptr ? "" : path;
}

// The file to play where no state names one, empty for none.
std::string model_at_start() {
  const std::string named = model_of_environment();
  return named.empty() ? example::identity().model.string() : named;
}

void report(const std::string& problem) { d_stderr("Neutone cannot play %s", problem.c_str()); }  // NOLINT(*-vararg)

class NeutonePlugin final : public Plugin {
 public:
  NeutonePlugin() : Plugin(kControlCount, 0, 1) {
    for (std::size_t i = 0; i < kControlCount; ++i) values_[i] = kControls[i].default_value;
    if (isDummyInstance()) return;
    engine_ = std::make_unique<engine::Engine>(shared_workers());
    if (const auto model = load(model_at_start())) take_defaults(model->metadata());
  }

 protected:
  [[nodiscard]] const char* getName() const override { return example::identity().name.c_str(); }
  [[nodiscard]] const char* getLabel() const override { return "neutone_example"; }
  [[nodiscard]] const char* getMaker() const override { return "The neutone_sdk developers"; }
  [[nodiscard]] const char* getLicense() const override { return "MIT"; }
  [[nodiscard]] uint32_t getVersion() const override { return d_version(1, 0, 0); }
  [[nodiscard]] int64_t getUniqueId() const override { return example::identity().vst3_id; }

  void initAudioPort(bool is_input, uint32_t index, AudioPort& port) override {
    port.groupId = kChannels == 1 ? kPortGroupMono : kPortGroupStereo;
    Plugin::initAudioPort(is_input, index, port);
  }

  void initParameter(uint32_t index, Parameter& parameter) override {
    if (index == kBypass) {
      parameter.initDesignation(kParameterDesignationBypass);
      return;
    }
    const ControlInfo& info = kControls[index];
    parameter.name = index < kKnobCount && !knob_names_[index].empty() ? knob_names_[index].c_str() : info.name;
    parameter.symbol = info.symbol;
    parameter.ranges = {values_[index], 0.0F, info.max_value};
    if (index >= kMissingSamples) {
      parameter.hints = kParameterIsOutput;
    } else {
      parameter.hints = kParameterIsAutomatable | (info.is_switch ? kParameterIsBoolean | kParameterIsInteger : 0);
    }
  }

  void initState(uint32_t /*index*/, State& state) override {
    state.hints = kStateIsFilenamePath;
    state.key = kModelKey;
    state.label = "Model file (.nm)";
    state.defaultValue = model_of_environment().c_str();  // the path of a bundle has no place in a session
  }

  [[nodiscard]] float getParameterValue(uint32_t index) const override { return values_[index]; }
  void setParameterValue(uint32_t index, float value) override { values_[index] = value; }

  // Hosts call this where they may wait: never on the audio thread.
  void setState(const char* /*key*/, const char* value) override {
    const std::string named(value);
    load(named.empty() ? example::identity().model.string() : named);
  }

  void activate() override { prepare(); }

  void run(const float** inputs, float** outputs, uint32_t frames) override {
    engine_->set_waiting(is_on(kOffline));
    for (std::size_t first = 0; first < frames; first += block_frames_) {
      play(inputs, outputs, first, std::min<std::size_t>(block_frames_, frames - first));
    }
    setLatency(static_cast<uint32_t>(engine_->latency_samples()));
    const engine::Losses losses = engine_->losses();
    values_[kMissingSamples] =
        std::min(static_cast<float>(losses.missing_samples), kControls[kMissingSamples].max_value);
    values_[kLateBlocks] = std::min(static_cast<float>(losses.late_blocks), kControls[kLateBlocks].max_value);
  }

 private:
  [[nodiscard]] bool is_on(Control control) const { return values_[control] > 0.5F; }
  [[nodiscard]] double gain(Control control) const { return std::pow(10.0, (values_[control] - 0.5) * 60.0 / 20.0); }

  // Plays another model from now on, or, if there is none, the input. [control]
  std::shared_ptr<host::Model> load(const std::string& path) {
    std::shared_ptr<host::Model> model;
    const std::scoped_lock lock(control_);
    try {
      if (!path.empty()) model = std::make_shared<host::Model>(path);
      engine_->set_model(model);
    } catch (const std::exception& error) {
      report(path + ": " + error.what());
      engine_->set_model(model = nullptr);
    }
    has_model_ = model != nullptr;
    return model;
  }

  // Names and positions of the controls. Hosts look only once, so later models find those of the first.
  void take_defaults(const host::Metadata& metadata) {
    for (std::size_t i = 0; i < std::min<std::size_t>(kKnobCount, metadata.knobs.size()); ++i) {
      knob_names_[i] = metadata.knobs[i].name;
      values_[kKnob1 + i] = metadata.knobs[i].default_position();
    }
    values_[kWet] = static_cast<float>(metadata.wet_default);
    values_[kDry] = static_cast<float>(metadata.dry_default);
    values_[kInputGain] = static_cast<float>(metadata.input_gain_default);
    values_[kOutputGain] = static_cast<float>(metadata.output_gain_default);
  }

  // Gets ready for the rate and the blocks of the host, and forgets all audio. [control, no run]
  void prepare() {
    const std::scoped_lock lock(control_);
    block_frames_ = std::clamp<std::size_t>(getBufferSize(), 1, kMaxBlockFrames);
    buffer_.assign(2 * kChannels * block_frames_, 0.0F);
    smoothing_samples_ = kSmoothingSeconds * getSampleRate();
    dry_delay_ = std::make_unique<DryDelay>(kChannels, static_cast<std::size_t>(smoothing_samples_));
    input_gain_ = wet_ = dry_ = {};
    const engine::HostFormat format{std::llround(getSampleRate()), block_frames_, kChannels, kChannels};
    const auto mode = is_on(kShortLatency) ? engine::LatencyMode::kOneBlock : engine::LatencyMode::kTwoBlocks;
    try {
      engine_->prepare(format, {mode});
    } catch (const std::exception& error) {
      report(std::string("this model here: ") + error.what());
      has_model_ = false;
      engine_->set_model(nullptr);
      engine_->prepare(format);
    }
    setLatency(static_cast<uint32_t>(engine_->latency_samples()));
  }

  // A piece of a callback. The host's buffers may be the same for input and output.
  void play(const float* const* inputs, float* const* outputs, std::size_t first, std::size_t frames) {
    using enum dsp::Smoothing;
    const auto stride = static_cast<std::ptrdiff_t>(block_frames_);
    const dsp::Planar<float> dry{buffer_.data(), kChannels, frames, stride};
    const dsp::Planar<float> wet{buffer_.data() + kChannels * block_frames_, kChannels, frames, stride};
    for (std::size_t channel = 0; channel < kChannels; ++channel) {
      std::copy_n(inputs[channel] + first, frames, dry.row(channel));
    }
    input_gain_.process(kLinear, smoothing_samples_, gain(kInputGain), frames, [&](std::size_t i, double gain) {
      for (std::size_t channel = 0; channel < kChannels; ++channel) {
        wet.row(channel)[i] = static_cast<float>(gain) * dry.row(channel)[i];
      }
    });
    std::array<float, kKnobCount> knobs{};
    std::copy_n(values_.begin(), kKnobCount, knobs.begin());
    engine_->process(wet, {knobs.data(), kKnobCount, 1, 1}, wet);
    dry_delay_->process(dry, engine_->latency_samples());

    const bool is_dry = is_on(kBypass) || !has_model_;
    const double wet_gain = is_dry ? 0.0 : gain(kOutputGain) * values_[kWet];
    const double dry_gain = is_dry ? 1.0 : gain(kOutputGain) * values_[kDry];
    wet_.process(kLinear, smoothing_samples_, wet_gain, frames, [&](std::size_t i, double gain) {
      for (std::size_t channel = 0; channel < kChannels; ++channel) wet.row(channel)[i] *= static_cast<float>(gain);
    });
    dry_.process(kLinear, smoothing_samples_, dry_gain, frames, [&](std::size_t i, double gain) {
      for (std::size_t channel = 0; channel < kChannels; ++channel) {
        outputs[channel][first + i] = wet.row(channel)[i] + static_cast<float>(gain) * dry.row(channel)[i];
      }
    });
  }

  std::array<std::atomic<float>, kControlCount> values_{};  // hosts set them on any thread
  std::array<std::string, kKnobCount> knob_names_;          // of the model that was there from the start
  std::mutex control_;                                      // held by whoever changes the engine
  std::unique_ptr<engine::Engine> engine_;                  // none: a host asks what there is
  std::atomic<bool> has_model_ = false;

  // What `prepare` sets, and the audio thread uses.
  std::size_t block_frames_ = 1;
  double smoothing_samples_ = 1.0;
  std::vector<float> buffer_;
  std::unique_ptr<DryDelay> dry_delay_;
  dsp::ParameterSmoother input_gain_, wet_, dry_;
};

}  // namespace

Plugin* createPlugin() { return new NeutonePlugin; }  // NOLINT(*-owning-memory): DPF deletes it

END_NAMESPACE_DISTRHO
