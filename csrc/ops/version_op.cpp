#include <string>

#include "ops/tensors.h"

namespace {

std::string version() { return NEUTONE_VERSION; }

}  // namespace

STABLE_TORCH_LIBRARY_FRAGMENT(neutone, m) { m.def("version() -> str"); }
STABLE_TORCH_LIBRARY_IMPL(neutone, CompositeExplicitAutograd, m) { m.impl("version", TORCH_BOX(&version)); }
