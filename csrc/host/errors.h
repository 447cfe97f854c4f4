#pragma once

#include <stdexcept>

namespace neutone::host {

// A file that cannot be opened, or something that it needs and that is not here. The message says what, and what to do.
struct LoadError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// What a model that has been opened does not do, or says itself when it fails.
struct ModelError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace neutone::host
