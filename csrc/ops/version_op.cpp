#include <string>

#include "ops/registration.h"
#include "ops/tensors.h"

namespace {

std::string version() { return NEUTONE_VERSION; }

bool is_first_copy = false;  // see define; NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

}  // namespace

STABLE_TORCH_LIBRARY_FRAGMENT(neutone, m) {
  is_first_copy = neutone::ops::define(m, {
                                              "version() -> str",
                                          });
}
STABLE_TORCH_LIBRARY_IMPL(neutone, CompositeExplicitAutograd, m) {
  if (!is_first_copy) return;
  m.impl("version", neutone::ops::boxed<&version>);
}
