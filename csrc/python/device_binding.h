#pragma once

#include <pybind11/pybind11.h>

namespace neutone::python {

// After `bind_engine`. [GIL held]
void bind_device(const pybind11::module_& module);

}  // namespace neutone::python
