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

// The file to play where nothing else names one: a bundle's own, empty for none. [any thread]
inline std::string own_model() { return neutone::example::identity().model.string(); }

// The file that a new instance plays, empty for none. [any thread]
inline std::string model_at_start() {
  const std::string named = model_of_environment();
  return named.empty() ? own_model() : named;
}
