// A plugin that plays a .nm file: VST3, CLAP and LV2 from one class, with DPF. All that is hard is the engine's.
#include <algorithm>
#include <cmath>
#include <memory>
#include <string>

#include "DistrhoPlugin.hpp"
#include "controls.h"
#include "identity.h"
#include "mixer.h"
#include "model_at_start.h"
#include "model_player.h"

START_NAMESPACE_DISTRHO

namespace {

namespace engine = neutone::engine;

constexpr std::size_t kChannels = NEUTONE_PLUGIN_CHANNELS;
constexpr std::size_t kMaxBlockFrames = 8192;  // what is longer is played in pieces

class NeutonePlugin final : public Plugin {
 public:
  NeutonePlugin() : Plugin(kControlCount, 0, 1) {
    if (isDummyInstance()) return;
    player_ = std::make_unique<ModelPlayer>();
    const auto model = player_->load(model_or_that_of_bundle(model_of_environment()));
    if (model) controls_.take_defaults(model->metadata());
  }

 protected:
  [[nodiscard]] const char* getName() const override { return neutone::example::identity().name.c_str(); }
  [[nodiscard]] const char* getLabel() const override { return "neutone_example"; }
  [[nodiscard]] const char* getMaker() const override { return "The neutone_sdk developers"; }
  [[nodiscard]] const char* getLicense() const override { return "MIT"; }
  [[nodiscard]] uint32_t getVersion() const override { return d_version(1, 0, 0); }
  [[nodiscard]] int64_t getUniqueId() const override { return neutone::example::identity().vst3_id; }

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
    parameter.name = controls_.name(index);
    parameter.symbol = info.symbol;
    parameter.ranges = {controls_.value(index), 0.0F, info.max_value};
    if (index >= kMissingSamples) {
      parameter.hints = kParameterIsOutput;
    } else {
      parameter.hints = kParameterIsAutomatable | (info.is_switch ? kParameterIsBoolean | kParameterIsInteger : 0);
    }
  }

  void initState(uint32_t /*index*/, State& state) override {
    state.hints = kStateIsFilenamePath;
    state.key = "model";
    state.label = "Model file (.nm)";
    state.defaultValue = model_of_environment().c_str();  // the path of a bundle has no place in a session
  }

  [[nodiscard]] float getParameterValue(uint32_t index) const override { return controls_.value(index); }
  void setParameterValue(uint32_t index, float value) override { controls_.set(index, value); }

  // Hosts call this where they may wait: never on the audio thread.
  void setState(const char* /*key*/, const char* value) override { player_->load(model_or_that_of_bundle(value)); }

  void activate() override {
    const std::size_t block_frames = std::clamp<std::size_t>(getBufferSize(), 1, kMaxBlockFrames);
    mixer_ = std::make_unique<Mixer>(kChannels, block_frames, getSampleRate());
    player_->prepare({std::llround(getSampleRate()), block_frames, kChannels, kChannels},
                     controls_.is_on(kShortLatency) ? engine::LatencyMode::kOneBlock : engine::LatencyMode::kTwoBlocks);
    setLatency(static_cast<uint32_t>(player_->engine().latency_samples()));
  }

  // The audio thread: only what never waits.
  void run(const float** inputs, float** outputs, uint32_t frames) override {
    engine::Engine& engine = player_->engine();
    engine.set_waiting(controls_.is_on(kOffline));
    const auto knobs = controls_.knobs();
    mixer_->process(inputs, outputs, frames, gains(), [&](const neutone::dsp::Planar<float>& audio) {
      engine.process(audio, {knobs.data(), kKnobCount, 1, 1}, audio);
      return engine.latency_samples();
    });
    setLatency(static_cast<uint32_t>(engine.latency_samples()));  // another model may have another one
    controls_.show(engine.losses());
  }

 private:
  // Without a model, and in bypass, the input is heard as it is.
  [[nodiscard]] Mixer::Gains gains() const {
    const bool is_dry = controls_.is_on(kBypass) || !player_->has_model();
    const double output = controls_.gain(kOutputGain);
    return {.input = controls_.gain(kInputGain),
            .wet = is_dry ? 0.0 : output * controls_.value(kWet),
            .dry = is_dry ? 1.0 : output * controls_.value(kDry)};
  }

  Controls controls_;
  std::unique_ptr<ModelPlayer> player_;  // none: a host asks what there is
  std::unique_ptr<Mixer> mixer_;         // from the first activation on
};

}  // namespace

Plugin* createPlugin() { return new NeutonePlugin; }  // NOLINT(*-owning-memory): DPF deletes it

END_NAMESPACE_DISTRHO
