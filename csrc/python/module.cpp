// neutone_sdk._native: the engine for numpy, and a device that plays it. Knows nothing of torch.
#include <pybind11/pybind11.h>

#include "python/device_binding.h"
#include "python/engine_binding.h"
#include "python/errors.h"
#include "python/interpreter.h"

namespace py = pybind11;

PYBIND11_MODULE(_native, module) {
  module.doc() = "The real-time engine for numpy, and a simulated sound card that plays it.";
  module.attr("__version__") = NEUTONE_VERSION;
  neutone::python::register_errors();
  neutone::python::bind_engine(module);
  neutone::python::bind_device(module);
  const auto close = py::cpp_function([] { neutone::python::Gate::get().close(); });
  py::module_::import("atexit").attr("register")(close);
}
