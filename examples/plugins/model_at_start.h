#pragma once

#include <cstdlib>
#include <string>

#include "identity.h"

// The file that the environment names, empty for none. [any thread]
inline std::string model_of_environment() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): whoever changes the environment while plugins load is beyond help
  const char* path = std::getenv("NEUTONE_MODEL");
  return path == nullptr ? "" : path;
}

// The file to play where this one is wanted: where none is, that of the bundle, empty for none. [any thread]
inline std::string model_or_that_of_bundle(const std::string& wanted) {
  return wanted.empty() ? neutone::example::identity().model.string() : wanted;
}
