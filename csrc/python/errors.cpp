#include "python/errors.h"

#include <exception>
#include <string>

namespace py = pybind11;

namespace neutone::python {
namespace {

void set_package_error(const char* kind, const char* text) {
  // Now and not when the module is loaded: the package may still be on its way.
  py::set_error(py::module_::import("neutone_sdk.errors").attr(kind), text);
}

void translate(std::exception_ptr raised) {  // NOLINT(performance-unnecessary-value-param): as pybind11 has it
  try {
    if (raised) std::rethrow_exception(raised);
  } catch (const WrongType& error) {
    set_package_error("InvalidTypeError", error.what());
  } catch (const std::invalid_argument& error) {
    set_package_error("InvalidArgumentError", error.what());
  }
}

}  // namespace

void register_errors() { py::register_local_exception_translator(&translate); }

std::size_t checked_count(const char* name, std::int64_t value, std::int64_t least, std::int64_t most) {
  if (value >= least && value <= most) return static_cast<std::size_t>(value);
  throw std::invalid_argument(std::string(name) + " must be " + std::to_string(least) + " to " + std::to_string(most) +
                              ", got " + std::to_string(value));
}

}  // namespace neutone::python
