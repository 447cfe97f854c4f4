#include "python/device_binding.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

#include "python/arrays.h"
#include "python/engine_binding.h"
#include "python/errors.h"
#include "python/interpreter.h"
#include "python/simulated_device.h"

namespace py = pybind11;

namespace neutone::python {
namespace {

// A device that keeps its engine, and keeps it to itself while it runs.
class PythonDevice {
 public:
  PythonDevice(std::shared_ptr<PythonEngine> engine, const Frames& audio, const Frames& params,
               const DeviceSettings& settings)
      : engine_(std::move(engine)),
        device_(std::make_unique<SimulatedDevice>(engine_->engine(), readable(audio), readable(params), settings)) {}
  PythonDevice(const PythonDevice&) = delete;
  PythonDevice& operator=(const PythonDevice&) = delete;
  // NOLINTNEXTLINE(bugprone-exception-escape): only a broken interpreter makes it throw, and then that is the end
  ~PythonDevice() {
    const WithoutGil callbacks_may_finish;
    device_.reset();
  }

  void start() {
    if (is_started_) throw std::invalid_argument("a device runs once; make another one to run again");
    engine_->claim();
    try {
      device_->start([engine = engine_.get()] { engine->release(); });
    } catch (...) {  // there is no thread to be had
      engine_->release();
      throw;
    }
    is_started_ = true;
  }

  bool wait(double seconds) {
    if (!is_started_) throw std::invalid_argument("the device has not been started; call start() before wait()");
    if (!(seconds >= 0.0)) throw std::invalid_argument("seconds must be at least 0, got " + std::to_string(seconds));
    constexpr double kYear = 3e7;  // a clock would overflow
    const WithoutGil others_may_run;
    return device_->wait(std::min(seconds, kYear));
  }

  void stop() {
    const WithoutGil callbacks_may_finish;
    device_->stop();
  }

  [[nodiscard]] const SimulatedDevice& device() const noexcept { return *device_; }

 private:
  std::shared_ptr<PythonEngine> engine_;
  std::unique_ptr<SimulatedDevice> device_;
  bool is_started_ = false;
};

std::size_t n_callbacks(double seconds, const engine::HostFormat& host) {
  constexpr double kMost = 1e8;  // every one is kept: more would not fit into memory
  const double count =
      std::ceil(seconds * static_cast<double>(host.sample_rate_hz) / static_cast<double>(host.max_block_frames));
  if (seconds > 0.0 && count <= kMost) return static_cast<std::size_t>(count);
  throw std::invalid_argument("seconds must be above 0, and no more than 100000000 callbacks, got " +
                              std::to_string(seconds));
}

// Those that are new, because copies of everything would keep the GIL from models.
py::array_t<std::int64_t> copied_from(std::span<const std::int64_t> counts, std::int64_t first) {
  const std::size_t n_old = checked_count("first", first, 0, std::numeric_limits<std::int64_t>::max());
  return copied(counts.subspan(std::min(n_old, counts.size())));
}

std::shared_ptr<PythonDevice> new_device(std::shared_ptr<PythonEngine> engine, const py::object& audio,
                                         const py::object& params, double seconds, bool keeps_output) {
  engine->check_prepared();
  const Frames in = checked_frames("audio", audio);
  engine->check_audio(in);
  const Frames knobs = engine->checked_params(params);
  const engine::HostFormat& host = engine->host();
  const DeviceSettings settings{host.sample_rate_hz, host.max_block_frames, host.out_channels,
                                n_callbacks(seconds, host), keeps_output};
  return std::make_shared<PythonDevice>(std::move(engine), in, knobs, settings);
}

}  // namespace

void bind_device(const py::module_& module) {
  py::class_<PythonDevice, std::shared_ptr<PythonDevice>>(module, "SimulatedDevice")
      .def(py::init(&new_device), py::arg("engine"), py::arg("audio"), py::arg("params") = py::none(), py::kw_only(),
           py::arg("seconds"), py::arg("keeps_output") = false)
      .def("start", &PythonDevice::start)
      .def("wait", &PythonDevice::wait, py::arg("seconds"))
      .def("stop", &PythonDevice::stop)
      .def_property_readonly("has_realtime_priority",
                             [](const PythonDevice& self) { return self.device().clock().has_realtime_priority(); })
      .def_property_readonly("refusal", [](const PythonDevice& self) { return self.device().clock().refusal(); })
      .def_property_readonly("n_overruns", [](const PythonDevice& self) { return self.device().clock().n_overruns(); })
      .def(
          "durations_ns",
          [](const PythonDevice& self, std::int64_t first) {
            return copied_from(self.device().clock().durations_ns(), first);
          },
          py::arg("first") = 0)
      .def(
          "lateness_ns",
          [](const PythonDevice& self, std::int64_t first) {
            return copied_from(self.device().clock().lateness_ns(), first);
          },
          py::arg("first") = 0)
      .def_property_readonly("output", [](const PythonDevice& self) { return copied_frames(self.device().output()); });
}

}  // namespace neutone::python
