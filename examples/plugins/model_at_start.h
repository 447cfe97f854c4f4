#pragma once

#include <cstdlib>
#include <string>

// The file that a new instance plays, empty for none. [any thread]
inline std::string model_at_start() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): whoever changes the environment while plugins load is beyond help
  const char* path = std::getenv("NEUTONE_MODEL");
  return path == nullptr ? "" : path;
}
