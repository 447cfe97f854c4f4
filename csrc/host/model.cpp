// The only file that includes torch's headers, which take longer to compile than everything else.
#include "model.h"

#include <ATen/Parallel.h>
#include <caffe2/serialize/file_adapter.h>
#include <caffe2/serialize/inline_container.h>
#include <caffe2/serialize/read_adapter_interface.h>
#include <torch/csrc/inductor/aoti_torch/c/shim.h>
#include <torch/csrc/jit/runtime/operator.h>
#include <torch/script.h>
#include <torch/version.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <exception>
#include <mutex>
#include <utility>
#include <vector>

#include "file.h"
#include "format.h"
#include "messages.h"
#include "operators.h"
#include "shared_library.h"
#include "torch_place.h"

namespace neutone::host {
namespace {

namespace fs = std::filesystem;
using caffe2::serialize::PyTorchStreamReader;
using caffe2::serialize::ReadAdapterInterface;
using torch::jit::IValue;
using torch::jit::Module;

constexpr std::int64_t kKnobRows = 4;  // that every model takes, whether it has as many knobs or not
constexpr std::size_t kMaxMetadataBytes = std::size_t{16} << 20U;
constexpr const char* kMetadataRecord = "extra/metadata.json";
constexpr int kWarmUpBlocks = 4;

// ---- Errors of torch ----

std::string text_of(const std::exception& error) {
  const auto* of_torch = dynamic_cast<const c10::Error*>(&error);
  return of_torch != nullptr ? of_torch->what_without_backtrace() : error.what();
}

// ---- Files ----

class BytesReader final : public ReadAdapterInterface {
 public:
  explicit BytesReader(std::string bytes) : bytes_(std::move(bytes)) {}

  [[nodiscard]] std::size_t size() const override { return bytes_.size(); }
  std::size_t read(std::uint64_t position, void* buffer, std::size_t count, const char* /*what*/) const override {
    if (position >= bytes_.size()) return 0;
    const std::size_t taken = std::min<std::size_t>(count, bytes_.size() - position);
    std::memcpy(buffer, bytes_.data() + position, taken);
    return taken;
  }

 private:
  std::string bytes_;
};

// Runs and unpickles nothing.
Metadata metadata_in(std::shared_ptr<ReadAdapterInterface> bytes, const fs::path& file) try {
  PyTorchStreamReader archive(std::move(bytes));
  if (!archive.hasRecord(kMetadataRecord)) {
    throw LoadError(file.string() + " is an archive without metadata.json; export it with save_neutone_model");
  }
  if (archive.getRecordSize(kMetadataRecord) > kMaxMetadataBytes) {
    throw LoadError(file.string() + ": its metadata.json is longer than 16 MiB");
  }
  const auto [data, size] = archive.getRecord(kMetadataRecord);
  return parse_metadata({static_cast<const char*>(data.get()), size}, file.string());
} catch (const LoadError&) {
  throw;
} catch (const std::exception& error) {
  throw LoadError(file.string() + " is not a model: it is damaged, truncated, or no TorchScript archive (" +
                  first_line(text_of(error)) + ")");
}

// ---- What a file needs ----

void provide_operators(const Metadata& metadata, const fs::path& file) {
  if (!metadata.flavour.empty() && metadata.flavour != "native" && metadata.flavour != "portable") {
    throw LoadError(file.string() + ": its flavour is " + metadata.flavour +
                    ", here native and portable are known; it needs a newer host");
  }
  const auto needed = metadata.required_ops.find("neutone");
  if (needed == metadata.required_ops.end()) return;
  if (operators_version().empty()) load_operators(find_operators());
  const std::string found = operators_version();
  if (is_newer_release(needed->second, found)) {
    throw LoadError(file.string() + " needs neutone operators of version " + needed->second +
                    ", this process has those of " + found + "; take libneutone_ops of a newer neutone_sdk");
  }
}

// Why torch could not load a file, as far as its message tells.
std::string reason(const Metadata& metadata, const std::string& text) {
  const std::string versions = "; it was made with torch " +
                               (metadata.torch_version.empty() ? "of unknown version" : metadata.torch_version) +
                               ", here is torch " + torch_version();
  const std::string name = unknown_operator(text);
  if (name.empty()) return first_line(text) + versions;
  if (!name.starts_with("neutone::")) return "it uses the operator " + name + ", which is not here" + versions;
  const std::string found = operators_version();
  if (found.empty()) {
    return "it uses the operator " + name + ", but its metadata do not ask for neutone operators; export it again";
  }
  return "it uses the operator " + name + ", which neutone operators of version " + found + " do not have";
}

Module load_script(const std::shared_ptr<ReadAdapterInterface>& bytes, const Metadata& metadata,
                   const fs::path& file) try {
  // Without the record of source lines, which torch believes blindly, and which only errors need.
  return torch::jit::load(bytes, c10::kCPU, /*load_debug_files=*/false);
} catch (const std::exception& error) {
  throw LoadError("torch cannot load " + file.string() + ": " + reason(metadata, text_of(error)));
}

Module wrapped_model(const Module& script, const fs::path& file) {
  if (!script.hasattr("w2w_base") || !script.attr("w2w_base").isModule()) {
    throw LoadError(file.string() +
                    (script.hasattr("nrb") ? " renders whole clips; hosts play real-time models only"
                                           : " holds no model that was wrapped for a host") +
                    "; export a WaveformToWaveformBase with save_neutone_model");
  }
  Module wrapped = script.attr("w2w_base").toModule();
  for (const char* method : {"forward", "reset", "set_sample_rate_and_buffer_size", "calc_model_delay_samples",
                             "is_input_mono", "is_output_mono", "get_native_sample_rates", "get_native_buffer_sizes"}) {
    if (!wrapped.find_method(method)) {
      throw LoadError(file.string() + ": its wrapped model has no method " + method +
                      "; export it again with save_neutone_model");
    }
  }
  return wrapped;
}

// ---- Facts ----

std::int64_t asked_count(Module& module, const char* method) {
  const IValue answer = module.run_method(method);
  if (!answer.isInt() || answer.toInt() < 0) {
    throw ModelError(std::string(method) + "() must return a whole number of at least 0");
  }
  return answer.toInt();
}

std::vector<std::int64_t> asked_counts(Module& module, const char* method) {
  const IValue answer = module.run_method(method);
  if (!answer.isIntList()) throw ModelError(std::string(method) + "() must return whole numbers");
  std::vector<std::int64_t> counts = answer.toIntVector();
  if (std::ranges::any_of(counts, [](std::int64_t count) { return count < 1; })) {
    throw ModelError(std::string(method) + "() must return numbers of at least 1");
  }
  return counts;
}

std::size_t asked_channels(Module& module, const char* method) {
  const IValue answer = module.run_method(method);
  if (!answer.isBool()) throw ModelError(std::string(method) + "() must return true or false");
  return answer.toBool() ? 1 : 2;
}

std::array<float, kKnobRows> asked_defaults(Module& script) {
  const IValue answer = script.run_method("get_default_param_values");
  std::array<float, kKnobRows> defaults{};
  if (!answer.isTensor() || answer.toTensor().numel() != kKnobRows) {
    throw ModelError("get_default_param_values() must return 4 values");
  }
  const at::Tensor values = answer.toTensor().to(at::kCPU, at::kFloat).reshape(-1).contiguous();
  std::copy_n(values.const_data_ptr<float>(), kKnobRows, defaults.begin());
  return defaults;
}

// ---- Threads ----

// A block is too short for threads that wait for each other.
void use_one_thread() {
  if (at::get_num_threads() != 1) at::set_num_threads(1);
}

// The same for a thread that is not ours, as long as it lives.
class OneThread {
 public:
  OneThread() : before_(at::get_num_threads()) { use_one_thread(); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;
  ~OneThread() {
    if (before_ != 1) at::set_num_threads(before_);
  }

 private:
  int before_;
};

// Plays some blocks with a copy, which shares the code, and what torch learns about it, but no state.
void warm_up(const Module& wrapped, const at::Tensor& audio, const at::Tensor& params) {
  Module copy;
  try {
    copy = wrapped.deepcopy();
  } catch (const c10::Error&) {
    return;  // of some of torch's own classes there is no copy: the first blocks are slow
  }
  for (int i = 0; i < kWarmUpBlocks; ++i) copy.forward({audio.clone(), params.clone()});
}

void check_output(const IValue& output, std::int64_t channels, std::int64_t frames) {
  const std::string wanted =
      "must return float32 audio of shape (" + std::to_string(channels) + ", " + std::to_string(frames) + "), got ";
  if (!output.isTensor()) throw ModelError(wanted + output.tagKind());
  const at::Tensor& audio = output.toTensor();
  if (!audio.defined()) throw ModelError(wanted + "nothing");
  if (audio.scalar_type() != at::kFloat || !audio.is_cpu() || audio.layout() != at::kStrided ||
      audio.sizes() != at::IntArrayRef({channels, frames})) {
    std::ostringstream got;
    got << audio.scalar_type() << " of shape " << audio.sizes() << " on " << audio.device();
    if (audio.layout() != at::kStrided) got << ", not dense";
    throw ModelError(wanted + got.str());
  }
}

// Another plugin of this process may have brought another torch along: whoever is first serves all.
void check_torch() {
  const std::uint64_t found = aoti_torch_abi_version();
  if (found == TORCH_ABI_VERSION) return;
  const auto part = [found](unsigned shift) { return std::to_string((found >> shift) & 0xffU); };
  throw LoadError("this plugin or program is built for torch " TORCH_VERSION ", and its process runs torch " +
                  part(56U) + "." + part(48U) + "." + part(40U) + " from " + torch_folder().string() +
                  "; a process has one torch: use plugins that were built for the same");
}

}  // namespace

// ---- The model ----

struct Model::State {
  Metadata metadata;
  Module script;
  Module wrapped;
  std::vector<std::int64_t> rates_hz;
  std::vector<std::int64_t> sizes_frames;
  std::array<float, kKnobRows> defaults{};
  engine::ModelFormat format;
  // Made once: a block is copied in, so that the model may write into what it is given.
  at::Tensor audio;
  at::Tensor params;
  mutable std::mutex error_mutex;
  std::string last_error;

  // Calls something of the model; whatever it throws is a ModelError.
  template <typename Call>
  auto run(const Call& call) try {
    const c10::InferenceMode no_gradients;
    return call();
  } catch (const ModelError& error) {
    keep(error.what());
    throw;
  } catch (const std::exception& error) {
    keep(last_message(text_of(error)));
    throw ModelError(last_message(text_of(error)));
  }

  void keep(const std::string& error) {
    const std::scoped_lock lock(error_mutex);
    last_error = error;
  }

  void learn_facts() {
    rates_hz = asked_counts(wrapped, "get_native_sample_rates");
    sizes_frames = asked_counts(wrapped, "get_native_buffer_sizes");
    defaults = asked_defaults(script);
    format.in_channels = asked_channels(wrapped, "is_input_mono");
    format.out_channels = asked_channels(wrapped, "is_output_mono");
    for (std::size_t i = 0; i < metadata.knobs.size(); ++i) {
      format.default_params.push_back(defaults[i]);
      format.are_categorical.push_back(metadata.knobs[i].kind == KnobKind::kCategorical);
    }
  }

  void set_up(const ModelSetting& setting) {
    wrapped.run_method("set_sample_rate_and_buffer_size", setting.sample_rate_hz, setting.block_frames);
    format.sample_rate_hz = setting.sample_rate_hz;
    format.block_frames = static_cast<std::size_t>(setting.block_frames);
    format.delay_frames = asked_count(wrapped, "calc_model_delay_samples");
    if (wrapped.find_method("get_look_ahead_samples")) {
      format.delay_frames += asked_count(wrapped, "get_look_ahead_samples");
    }
    audio = at::zeros({static_cast<std::int64_t>(format.in_channels), setting.block_frames});
    params = at::from_blob(defaults.data(), {kKnobRows, 1}).repeat({1, setting.block_frames});
    wrapped.run_method("reset");
    warm_up(wrapped, audio, params);
  }

  void copy_in(const dsp::Planar<const float>& from, const dsp::Planar<const float>& knobs) {
    const auto frames = static_cast<std::ptrdiff_t>(format.block_frames);
    dsp::copy_frames<float>(from,
                            {audio.mutable_data_ptr<float>(), format.in_channels, format.block_frames, frames, 1});
    const std::size_t n_given = std::min(knobs.channels, format.default_params.size());
    const dsp::Planar<float> rows{params.mutable_data_ptr<float>(), kKnobRows, format.block_frames, frames, 1};
    dsp::copy_frames<float>(knobs, rows.slice_channels(0, n_given));
    for (std::size_t row = n_given; row < rows.channels; ++row) {  // again: the model may have written there
      std::fill_n(rows.row(row), format.block_frames, defaults[row]);
    }
  }

  void copy_out(const IValue& output, const dsp::Planar<float>& to) const {
    const auto frames = static_cast<std::int64_t>(format.block_frames);
    check_output(output, static_cast<std::int64_t>(format.out_channels), frames);
    const at::Tensor played = output.toTensor().contiguous();
    dsp::copy_frames<float>({played.const_data_ptr<float>(), format.out_channels, format.block_frames, frames, 1}, to);
  }

  void check_block(const dsp::Planar<const float>& in, const dsp::Planar<float>& out) const {
    if (!audio.defined()) throw ModelError("process was called before configure");
    if (in.channels != format.in_channels || in.frames != format.block_frames || out.channels != format.out_channels ||
        out.frames != format.block_frames) {
      throw ModelError("process got a block of another shape than configure returned");
    }
  }
};

Model::Model(const fs::path& file) : state_(std::make_unique<State>()) {
  check_torch();
  // Read once: what has been looked at is what torch gets, whatever happens to the file.
  const auto bytes = std::make_shared<BytesReader>(read_file(file));
  State& state = *state_;
  state.metadata = metadata_in(bytes, file);
  provide_operators(state.metadata, file);
  const c10::InferenceMode no_gradients;
  state.script = load_script(bytes, state.metadata, file);
  state.wrapped = wrapped_model(state.script, file);
  try {
    state.run([&state] { state.learn_facts(); });
  } catch (const ModelError& error) {
    throw LoadError(file.string() + ": the model cannot say what it plays: " + error.what());
  }
}

Model::~Model() = default;

const Metadata& Model::metadata() const noexcept { return state_->metadata; }

const engine::ModelFormat& Model::format() const noexcept { return state_->format; }

std::string Model::last_error() const {
  const std::scoped_lock lock(state_->error_mutex);
  return state_->last_error;
}

engine::ModelFormat Model::configure(const engine::HostFormat& host) {
  const ModelSetting setting = choose_setting(host, state_->rates_hz, state_->sizes_frames);
  const OneThread one_thread;
  state_->run([this, &setting] { state_->set_up(setting); });
  return state_->format;
}

void Model::process(const dsp::Planar<const float>& audio, const dsp::Planar<const float>& params,
                    const dsp::Planar<float>& out) {
  use_one_thread();
  state_->run([&] {
    state_->check_block(audio, out);
    state_->copy_in(audio, params);
    state_->copy_out(state_->wrapped.forward({state_->audio, state_->params}), out);
  });
}

void Model::reset() {
  use_one_thread();
  state_->run([this] { state_->wrapped.run_method("reset"); });
}

Metadata read_metadata(const fs::path& file) {
  check_is_file(file);
  return metadata_in(std::make_shared<caffe2::serialize::FileAdapter>(file.string()), file);
}

std::string torch_version() { return TORCH_VERSION; }

std::filesystem::path torch_folder() {
  return file_of(reinterpret_cast<const void*>(&at::get_num_threads)).parent_path();
}

std::string operators_version() {
  const auto versions = torch::jit::getAllOperatorsFor(c10::Symbol::fromQualString("neutone::version"));
  if (versions.empty()) return {};
  torch::jit::Stack stack;
  versions.front()->getOperation()(stack);
  return torch::jit::pop(stack).toStringRef();
}

}  // namespace neutone::host
