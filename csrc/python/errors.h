#pragma once

#include <pybind11/pybind11.h>

#include <cstddef>
#include <cstdint>
#include <stdexcept>

// What C++ throws becomes errors of the package: std::invalid_argument InvalidArgumentError, WrongType
// InvalidTypeError.
namespace neutone::python {

class WrongType : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// For this module only. [GIL held]
void register_errors();

// A count from Python, where numbers may be negative. Throws std::invalid_argument unless least <= value <= most.
[[nodiscard]] std::size_t checked_count(const char* name, std::int64_t value, std::int64_t least, std::int64_t most);

}  // namespace neutone::python
