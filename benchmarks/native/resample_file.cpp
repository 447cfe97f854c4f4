// Resamples mono float32 with somebody else's library. Usage: resample_file LIBRARY FROM_HZ TO_HZ <in >out
//
// benchmarks/resampling_quality.py hears what comes out. Without arguments: prints the names of the libraries.

#include <array>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "libraries.h"

namespace {

using neutone::bench::Rates;

constexpr std::size_t kFrames = 512;

template <typename Library>
void resample(Rates rates) {
  Library library(rates);
  std::array<float, kFrames> in{};
  std::vector<float> out(64 * kFrames);
  while (std::cin.read(reinterpret_cast<char*>(in.data()), sizeof(in))) {
    const std::size_t produced = library.process(in, out);
    std::cout.write(reinterpret_cast<const char*>(out.data()), static_cast<std::streamsize>(produced * sizeof(float)));
  }
}

void run(std::span<char*> arguments) {
  bool is_known = arguments.empty();
  const auto visit = [&]<typename Library>(const std::string& name) {
    if (arguments.empty()) {
      std::cout << name << "\n";
    } else if (name == arguments[0]) {
      is_known = true;
      resample<Library>({std::stoi(arguments[1]), std::stoi(arguments[2])});
    }
  };
  if (!arguments.empty() && arguments.size() != 3) throw std::invalid_argument("LIBRARY FROM_HZ TO_HZ");
  neutone::bench::each_resampler_library<1>(visit, [](const char*, const char*) {});
  if (!is_known) throw std::invalid_argument(std::string("no such library: ") + arguments[0]);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(std::span(argv, static_cast<std::size_t>(argc)).subspan(1));
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return EXIT_FAILURE;
  }
}
