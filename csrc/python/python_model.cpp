#include "python/python_model.h"

#include <stdexcept>
#include <utility>

#include "python/arrays.h"
#include "python/interpreter.h"

namespace py = pybind11;

namespace neutone::python {
namespace {

std::string shape_of(std::size_t channels, std::size_t frames) {
  return "(" + std::to_string(channels) + ", " + std::to_string(frames) + ")";
}

void take_output(const py::object& returned, const dsp::Planar<float>& out) {
  const Frames array = checked_frames("what a model returns", returned);
  const dsp::Planar<const float> frames = readable(array);
  if (frames.channels != out.channels || frames.frames != out.frames) {
    throw std::invalid_argument("what a model returns must have shape " + shape_of(out.channels, out.frames) +
                                ", got " + shape_of(frames.channels, frames.frames));
  }
  dsp::copy_frames(frames, out);
}

}  // namespace

PythonModel::PythonModel(py::object model) : model_(std::move(model)) {}

// NOLINTNEXTLINE(bugprone-exception-escape): only a broken interpreter makes it throw, and then that is the end
PythonModel::~PythonModel() {
  if (PyGILState_Check() == 1) {
    model_ = py::object();
    return;
  }
  const auto passage = Gate::get().pass();
  if (Gate::get().is_closed()) {
    (void)model_.release();  // nobody is left to take it
    return;
  }
  const py::gil_scoped_acquire gil;
  model_ = py::object();
}

engine::ModelFormat PythonModel::configure(const engine::HostFormat& host) {
  const py::gil_scoped_acquire gil;
  auto format = model_.attr("configure")(host).cast<engine::ModelFormat>();
  n_params_ = format.default_params.size();
  return format;
}

void PythonModel::process(const dsp::Planar<const float>& audio, const dsp::Planar<const float>& params,
                          const dsp::Planar<float>& out) {
  enter([&] { take_output(model_.attr("process")(copied_frames(audio), copied_frames(params)), out); });
}

void PythonModel::reset() {
  enter([&] { model_.attr("reset")(); });
}

std::string PythonModel::last_error() const {
  const std::scoped_lock lock(error_mutex_);
  return last_error_;
}

template <typename Body>
void PythonModel::enter(const Body& body) {
  const auto passage = Gate::get().pass();
  if (Gate::get().is_closed()) throw std::runtime_error("Python is going down");
  const py::gil_scoped_acquire gil;
  std::string text;
  try {
    body();
    return;
  } catch (const py::error_already_set& error) {  // ends here, where there is the GIL that it needs
    text = std::string(py::str(error.type().attr("__name__"))) + ": " + std::string(py::str(error.value()));
  } catch (const std::exception& error) {
    text = error.what();
  }
  const std::scoped_lock lock(error_mutex_);
  last_error_ = text;
  throw std::runtime_error(text);
}

}  // namespace neutone::python
