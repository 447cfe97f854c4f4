#pragma once

#include <torch/csrc/stable/library.h>

#include <exception>
#include <initializer_list>

#include "ops/boxing.h"

namespace neutone::ops {

// Defines operators by their schemas. Returns false if the process has them already, from a copy of this library at
// another path: torch takes each once, and its exception would leave a static initialiser, which ends the process. The
// copy that came first goes on serving both.
template <typename Library>
[[nodiscard]] bool define(Library& library, std::initializer_list<const char*> schemas) noexcept {
  try {
    for (const char* schema : schemas) library.def(schema);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace neutone::ops
