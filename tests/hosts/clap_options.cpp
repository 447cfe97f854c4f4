#include "clap_options.h"

#include <algorithm>
#include <sstream>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "host_files.h"

namespace neutone::test {

namespace {

Change parse_change(const std::string& text) {
  const std::size_t equals = text.find('=');
  require(equals != std::string::npos, text + ": not control=value");
  return {0, text.substr(0, equals), std::stod(text.substr(equals + 1))};
}

std::pair<std::size_t, std::string> parse_moment(const std::string& text) {
  const std::size_t colon = text.find(':');
  require(colon != std::string::npos, text + ": not frame:something");
  return {std::stoul(text.substr(0, colon)), text.substr(colon + 1)};
}

std::vector<std::uint32_t> parse_blocks(const std::string& text) {
  std::vector<std::uint32_t> blocks;
  std::istringstream stream(text);
  for (std::string block; std::getline(stream, block, ',');) {
    blocks.push_back(static_cast<std::uint32_t>(std::stoul(block)));
  }
  require(!blocks.empty() && *std::ranges::max_element(blocks) > 0, "blocks without a frame");
  return blocks;
}

void parse_option(Options& options, const std::string& name, const std::string& value) {
  if (name == "--rate") {
    options.sample_rate_hz = std::stod(value);
  } else if (name == "--channels") {
    options.channels = std::stoul(value);
  } else if (name == "--blocks") {
    options.blocks = parse_blocks(value);
  } else if (name == "--set") {
    options.changes.push_back(parse_change(value));
  } else if (name == "--at") {
    const auto [frame, change] = parse_moment(value);
    options.changes.push_back(parse_change(change));
    options.changes.back().frame = frame;
  } else if (name == "--load-at") {
    std::tie(options.load_frame, options.load) = parse_moment(value);
  } else if (name == "--save") {
    options.save = value;
  } else if (name == "--instances") {
    options.instances = std::stoul(value);
  } else if (name == "--rounds") {
    options.rounds = std::stoul(value);
  } else if (name == "--in-place") {
    options.is_in_place = value == "1";
  } else if (name == "--realtime") {
    options.is_realtime = value == "1";
  } else {
    throw std::runtime_error("unknown option " + name);
  }
}

}  // namespace

Options parse_options(const std::vector<std::string>& arguments) {
  require(arguments.size() >= 3 && arguments.size() % 2 == 1, "usage: clap_host PLUGIN IN OUT [option value]...");
  Options options;
  options.plugin = arguments[0];
  options.in = arguments[1];
  options.out = arguments[2];
  for (std::size_t i = 3; i < arguments.size(); i += 2) parse_option(options, arguments[i], arguments[i + 1]);
  return options;
}

}  // namespace neutone::test
