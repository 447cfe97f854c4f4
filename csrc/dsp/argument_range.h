#pragma once

#include <locale>
#include <sstream>
#include <stdexcept>
#include <string>

namespace neutone::dsp {

// As short as it can be while still telling neighbours apart in practice: 0.1, 48000, 1e-06.
[[nodiscard]] inline std::string shown(double value) {
  std::ostringstream text;
  text.imbue(std::locale::classic());  // a host may have set another
  text.precision(12);
  text << value;
  return text.str();
}

// Throws std::invalid_argument unless low < value < high.
inline void check_between(const char* name, double value, double low, double high) {
  if (value > low && value < high) return;
  throw std::invalid_argument(std::string(name) + " must be above " + shown(low) + " and below " + shown(high) +
                              ", got " + shown(value));
}

}  // namespace neutone::dsp
