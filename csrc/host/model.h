#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "../engine/model.h"
#include "errors.h"
#include "metadata.h"

namespace neutone::host {

// Reads what a .nm file says of itself; nothing in it is run. Throws LoadError. [any thread, allocates]
[[nodiscard]] Metadata read_metadata(const std::filesystem::path& file);

// The version of torch that models run on. [any thread]
[[nodiscard]] std::string torch_version();

// A model from a .nm file, native, portable, or of neutone_sdk 1.x, for an engine to play. One thread at a time, but
// where it says otherwise.
class Model final : public engine::Model {
 public:
  // Opens the file, and loads the operators (see operators.h) if it needs them and they are not here. This runs code of
  // whoever made the file: see docs/security.md. Throws LoadError. [control, allocates]
  explicit Model(const std::filesystem::path& file);
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;
  ~Model() override;

  [[nodiscard]] const Metadata& metadata() const noexcept;  // [any thread]
  // What configure has chosen last. [control]
  [[nodiscard]] const engine::ModelFormat& format() const noexcept;
  // What the model said when it failed last, empty if it never did. [any thread]
  [[nodiscard]] std::string last_error() const;

  // Chooses rate and block as choose_setting does, tunes the model to them, and plays some blocks of silence with a
  // copy of it: torch optimises what is played first, which takes a hundred times as long as a block does later. Throws
  // std::invalid_argument if no setting suits, ModelError if the model fails. [control, allocates]
  engine::ModelFormat configure(const engine::HostFormat& host) override;
  // Throws ModelError if the model fails, or returns anything but float32 audio of the right shape; the next block may
  // succeed. [worker]
  void process(const dsp::Planar<const float>& audio, const dsp::Planar<const float>& params,
               const dsp::Planar<float>& out) override;
  // Throws ModelError if the model fails. [worker]
  void reset() override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace neutone::host
