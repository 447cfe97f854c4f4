#include "script.h"

#include <ATen/Parallel.h>
#include <torch/script.h>
#include <torch/version.h>

#include <filesystem>
#include <set>
#include <stdexcept>
#include <utility>
#include <vector>

namespace neutone::bench {

struct Script::Module {
  torch::jit::Module module;
  std::vector<torch::jit::IValue> block;
};

std::string torch_version() { return TORCH_VERSION; }

std::string script_path(const std::string& name) {
  const std::filesystem::path path = std::filesystem::path(NEUTONE_SCRIPTS_FOLDER) / name;
  return std::filesystem::exists(path) ? path.string() : "";
}

Script::Script(const std::string& path) {
  at::set_num_threads(1);
  const c10::InferenceMode guard;
  try {
    module_ = std::make_unique<Module>(Module{torch::jit::load(path), {}});
  } catch (const c10::Error& error) {
    throw std::runtime_error("cannot load " + path + ": " + error.what_without_backtrace());
  }
}

Script::~Script() = default;
Script::Script(Script&&) noexcept = default;
Script& Script::operator=(Script&&) noexcept = default;

void Script::loop(std::size_t calls) {
  const c10::InferenceMode guard;
  module_->module.forward({static_cast<std::int64_t>(calls)});
}

void Script::set_host(std::size_t rate_hz, std::size_t frames) {
  const c10::InferenceMode guard;
  module_->module.get_method("set_daw_sample_rate_and_buffer_size")(
      {static_cast<std::int64_t>(rate_hz), static_cast<std::int64_t>(frames)});
}

void Script::make_block(std::size_t channels, std::size_t frames, std::size_t knobs) {
  const auto noise = [frames](std::size_t rows) {
    return torch::rand({static_cast<std::int64_t>(rows), static_cast<std::int64_t>(frames)});
  };
  const c10::InferenceMode guard;
  module_->block = {noise(channels) - 0.5, noise(knobs)};
}

void Script::forward() {
  const c10::InferenceMode guard;
  module_->module.forward(module_->block);
}

std::size_t Script::tensor_bytes() const {
  c10::IValue::HashAliasedIValues values;
  c10::IValue(module_->module._ivalue()).getSubValues(values);
  std::set<const void*> seen;
  std::size_t bytes = 0;
  for (const c10::IValue& value : values) {
    if (!value.isTensor() || !value.toTensor().defined()) continue;
    const c10::Storage& storage = value.toTensor().storage();
    if (seen.insert(storage.data()).second) bytes += storage.nbytes();
  }
  return bytes;
}

}  // namespace neutone::bench
