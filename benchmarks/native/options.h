#pragma once

#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>

namespace neutone::benchmark {

struct Options {
  std::size_t rounds;
  std::string json_path;  // empty: none
};

// [--rounds N] [--json FILE]. Throws std::invalid_argument on anything else.
[[nodiscard]] inline Options parse_options(std::span<char*> arguments, std::size_t default_rounds) {
  Options options{default_rounds, {}};
  for (; arguments.size() >= 2; arguments = arguments.subspan(2)) {
    const std::string option = arguments[0];
    if (option == "--rounds") {
      options.rounds = std::stoull(arguments[1]);
    } else if (option == "--json") {
      options.json_path = arguments[1];
    } else {
      throw std::invalid_argument("unknown option " + option);
    }
  }
  if (!arguments.empty() || options.rounds == 0) throw std::invalid_argument("an option without a value, or no rounds");
  return options;
}

}  // namespace neutone::benchmark
