#include "python/engine_binding.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "python/errors.h"
#include "python/interpreter.h"

namespace py = pybind11;

namespace neutone::python {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();  // the engine has its own limits below

// Claims an engine for a scope.
class Claim {
 public:
  explicit Claim(PythonEngine& engine) : engine_(engine) { engine_.claim(); }
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;
  ~Claim() { engine_.release(); }

 private:
  PythonEngine& engine_;
};

engine::LatencyMode latency_mode(std::string_view name) {
  if (name == "two-blocks") return engine::LatencyMode::kTwoBlocks;
  if (name == "one-block") return engine::LatencyMode::kOneBlock;
  if (name == "blocking") return engine::LatencyMode::kBlocking;
  throw std::invalid_argument("latency_mode must be two-blocks, one-block or blocking, got " + std::string(name));
}

engine::LateOutput late_output(std::string_view name) {
  if (name == "silence") return engine::LateOutput::kSilence;
  if (name == "dry") return engine::LateOutput::kDry;
  throw std::invalid_argument("late_output must be silence or dry, got " + std::string(name));
}

// Waits for the blocks that are running, in models that may want the GIL.
std::shared_ptr<engine::WorkerPool> new_pool(std::int64_t n_threads) {
  constexpr std::int64_t kMostThreads = 1024;
  return {new engine::WorkerPool(checked_count("n_threads", n_threads, 1, kMostThreads)), [](engine::WorkerPool* pool) {
            const WithoutGil models_may_finish;
            delete pool;  // NOLINT(cppcoreguidelines-owning-memory): this is what a deleter is for
          }};
}

engine::HostFormat host_format(std::int64_t sample_rate_hz, std::int64_t max_block_frames, std::int64_t in_channels,
                               std::int64_t out_channels, bool has_constant_blocks) {
  return {sample_rate_hz, checked_count("max_block_frames", max_block_frames, 0, kMost),
          checked_count("in_channels", in_channels, 0, kMost), checked_count("out_channels", out_channels, 0, kMost),
          has_constant_blocks};
}

engine::ModelFormat model_format(std::int64_t sample_rate_hz, std::int64_t block_frames, std::int64_t in_channels,
                                 std::int64_t out_channels, std::int64_t delay_frames,
                                 std::vector<float> default_params, std::vector<bool> are_categorical) {
  are_categorical.resize(std::max(default_params.size(), are_categorical.size()));
  return {sample_rate_hz,
          checked_count("block_frames", block_frames, 0, kMost),
          checked_count("in_channels", in_channels, 0, kMost),
          checked_count("out_channels", out_channels, 0, kMost),
          delay_frames,
          std::move(default_params),
          std::move(are_categorical)};
}

void bind_formats(const py::module_& module) {
  using Host = engine::HostFormat;
  py::class_<Host>(module, "HostFormat")
      .def(py::init(&host_format), py::kw_only(), py::arg("sample_rate_hz") = 48'000, py::arg("max_block_frames") = 512,
           py::arg("in_channels") = 2, py::arg("out_channels") = 2, py::arg("has_constant_blocks") = false)
      .def_readonly("sample_rate_hz", &Host::sample_rate_hz)
      .def_readonly("max_block_frames", &Host::max_block_frames)
      .def_readonly("in_channels", &Host::in_channels)
      .def_readonly("out_channels", &Host::out_channels)
      .def_readonly("has_constant_blocks", &Host::has_constant_blocks);

  using Model = engine::ModelFormat;
  py::class_<Model>(module, "ModelFormat")
      .def(py::init(&model_format), py::kw_only(), py::arg("sample_rate_hz"), py::arg("block_frames"),
           py::arg("in_channels") = 2, py::arg("out_channels") = 2, py::arg("delay_frames") = 0,
           py::arg("default_params") = std::vector<float>(), py::arg("are_categorical") = std::vector<bool>())
      .def_readonly("sample_rate_hz", &Model::sample_rate_hz)
      .def_readonly("block_frames", &Model::block_frames)
      .def_readonly("in_channels", &Model::in_channels)
      .def_readonly("out_channels", &Model::out_channels)
      .def_readonly("delay_frames", &Model::delay_frames)
      .def_readonly("default_params", &Model::default_params)
      .def_readonly("are_categorical", &Model::are_categorical);
}

void bind_stats(const py::module_& module) {
  using engine::Stats;
  py::class_<Stats>(module, "Stats")
      .def_readonly("callbacks", &Stats::callbacks)
      .def_readonly("blocks", &Stats::blocks)
      .def_readonly("late_blocks", &Stats::late_blocks)
      .def_readonly("missing_samples", &Stats::missing_samples)
      .def_readonly("refused_callbacks", &Stats::refused_callbacks)
      .def_readonly("failed_blocks", &Stats::failed_blocks)
      .def_readonly("muted_blocks", &Stats::muted_blocks)
      .def_readonly("worker_p50_us", &Stats::worker_p50_us)
      .def_readonly("worker_p99_us", &Stats::worker_p99_us)
      .def_readonly("worker_max_us", &Stats::worker_max_us);
}

}  // namespace

PythonEngine::PythonEngine(std::shared_ptr<engine::WorkerPool> pool)
    : engine_(std::make_unique<engine::Engine>(pool ? std::move(pool) : new_pool(1))) {}

// NOLINTNEXTLINE(bugprone-exception-escape): only a broken interpreter makes it throw, and then that is the end
PythonEngine::~PythonEngine() {
  const WithoutGil models_may_finish;
  engine_.reset();
}

void PythonEngine::prepare(const engine::HostFormat& host, const engine::EngineSettings& settings) {
  const Claim claim(*this);
  {
    const WithoutGil models_may_run;
    const std::scoped_lock lock(control_mutex_);
    engine_->prepare(host, settings);
  }
  host_ = host;
  is_prepared_ = true;
}

void PythonEngine::set_model(const py::object& model) {
  auto next = model.is_none() ? nullptr : std::make_shared<PythonModel>(model);
  {
    const WithoutGil models_may_run;
    const std::scoped_lock lock(control_mutex_);
    engine_->set_model(next);
  }
  model_ = std::move(next);
}

Frames PythonEngine::process(const py::object& audio, const py::object& params) {
  const Frames in = checked_frames("audio", audio);
  const Frames knobs = checked_params(params);
  const Claim claim(*this);
  if (is_prepared_) check_audio(in);
  if (knobs.shape(1) != 1 && knobs.shape(1) != in.shape(1)) {
    throw std::invalid_argument("params must have 1 frame, or as many as audio, which has " +
                                std::to_string(in.shape(1)) + ", got " + std::to_string(knobs.shape(1)));
  }
  Frames out = new_frames(is_prepared_ ? host_.out_channels : readable(in).channels, readable(in).frames);
  const auto to = writable(out);
  const auto from = readable(in);
  const auto curves = readable(knobs);
  const WithoutGil models_may_run;
  engine_->process(from, curves, to);
  return out;
}

void PythonEngine::reset() {
  const Claim claim(*this);
  engine_->reset();
}

std::string PythonEngine::last_error() const { return model_ ? model_->last_error() : std::string(); }

void PythonEngine::check_prepared() const {
  if (!is_prepared_) throw std::invalid_argument("the engine is not ready for a host; call prepare() first");
}

void PythonEngine::check_audio(const Frames& array) const {
  if (readable(array).channels == host_.in_channels) return;
  throw std::invalid_argument("audio must have the " + std::to_string(host_.in_channels) +
                              " channels that the engine was prepared for, got " +
                              std::to_string(readable(array).channels));
}

Frames PythonEngine::checked_params(const py::object& params) const {
  if (params.is_none()) return new_frames(0, 1);
  Frames values = checked_frames("params", params);
  const std::size_t n_params = model_ ? model_->n_params() : 0;
  if (readable(values).channels < n_params) {
    throw std::invalid_argument("params must have a row for each of the model's " + std::to_string(n_params) +
                                " parameters, got " + std::to_string(values.shape(0)));
  }
  return values;
}

void PythonEngine::claim() {
  if (!is_claimed_.exchange(true, std::memory_order_acquire)) return;
  throw std::invalid_argument(
      "the engine is played by a device, or used in another thread; stop that first, or take an engine for each");
}

void bind_engine(const py::module_& module) {
  bind_formats(module);
  bind_stats(module);

  using Pool = engine::WorkerPool;
  py::class_<Pool, std::shared_ptr<Pool>>(module, "WorkerPool")
      .def(py::init(&new_pool), py::arg("n_threads") = 1)
      .def_property_readonly("size", &Pool::size);

  py::class_<PythonEngine, std::shared_ptr<PythonEngine>>(module, "Engine")
      .def(py::init<std::shared_ptr<Pool>>(), py::arg("pool") = py::none())
      .def(
          "prepare",
          [](PythonEngine& self, const engine::HostFormat& host, const std::string& mode, const std::string& late) {
            self.prepare(host, {latency_mode(mode), late_output(late)});
          },
          py::arg("host"), py::kw_only(), py::arg("latency_mode") = "two-blocks", py::arg("late_output") = "silence")
      .def("set_model", &PythonEngine::set_model, py::arg("model").none(true))
      .def("process", &PythonEngine::process, py::arg("audio"), py::arg("params") = py::none())
      .def("reset", &PythonEngine::reset)
      .def_property_readonly("latency_samples", &PythonEngine::latency_samples)
      .def_property_readonly("stats", &PythonEngine::stats)
      .def_property_readonly("last_error", &PythonEngine::last_error);
}

}  // namespace neutone::python
