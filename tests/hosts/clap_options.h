#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// What clap_host is asked for; clap_host.cpp lists the options.
namespace neutone::test {

struct Change {
  std::size_t frame;
  std::string control;
  double value;
};

struct Options {
  std::string plugin, in, out, save, load;
  std::size_t load_frame = 0;
  double sample_rate_hz = 48'000.0;
  std::size_t channels = 2;
  std::vector<std::uint32_t> blocks{64};
  std::vector<Change> changes;  // frame 0: before the activation
  std::size_t instances = 1;
  std::size_t rounds = 1;
  bool is_in_place = false;
  bool is_realtime = false;
};

// Throws std::runtime_error, or what std::stod and std::stoul throw.
[[nodiscard]] Options parse_options(const std::vector<std::string>& arguments);

}  // namespace neutone::test
