#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include "host/command/playing.h"

namespace neutone::host {
namespace {

std::string_view stripped(std::string_view text) {
  const std::size_t start = text.find_first_not_of(' ');
  if (start == std::string_view::npos) return {};
  return text.substr(start, text.find_last_not_of(' ') + 1 - start);
}

// Names may hold `=`, and spaces at their ends: the longest that the model has wins.
std::pair<std::size_t, std::string_view> split(const std::vector<Knob>& knobs, std::string_view setting) {
  for (std::size_t at = setting.rfind('='); at != std::string_view::npos;
       at = at == 0 ? at : setting.rfind('=', at - 1)) {
    const std::string_view name = setting.substr(0, at);
    for (const std::string_view each : {name, stripped(name)}) {
      const auto found = std::ranges::find(knobs, each, &Knob::name);
      if (found != knobs.end()) return {static_cast<std::size_t>(found - knobs.begin()), setting.substr(at + 1)};
    }
    if (at == 0) break;
  }
  std::ostringstream text;
  text << "--param takes NAME=VALUE with the name of a knob, got '" << setting << "'; the model has ";
  for (const Knob& knob : knobs) text << "'" << knob.name << "' ";
  if (knobs.empty()) text << "none";
  throw std::invalid_argument(text.str());
}

double value_of(const Knob& knob, std::string_view text) {
  for (const std::string_view each : {text, stripped(text)}) {
    const auto found = std::ranges::find(knob.labels, each);
    if (found != knob.labels.end()) return static_cast<double>(found - knob.labels.begin());
  }
  const std::string_view digits = stripped(text);
  double value = 0.0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  const bool is_number = error == std::errc() && end == digits.data() + digits.size();
  const bool is_step = knob.kind == KnobKind::kContinuous || value == std::floor(value);
  const bool is_inside = value >= knob.min_value && value <= knob.max_value;  // no NaN is
  if (!is_number || !is_step || !is_inside) {
    std::ostringstream message;
    message << "knob '" << knob.name << "' takes ";
    for (const std::string& label : knob.labels) message << "'" << label << "', or ";
    message << (knob.kind == KnobKind::kContinuous ? "a number" : "a whole number") << " from " << knob.min_value
            << " to " << knob.max_value << ", got '" << text << "'";
    throw std::invalid_argument(message.str());
  }
  return value;
}

}  // namespace

std::vector<float> knob_positions(const Metadata& metadata, const std::vector<std::string>& settings) {
  std::vector<float> positions;
  positions.reserve(metadata.knobs.size());
  for (const Knob& knob : metadata.knobs) positions.push_back(knob.default_position());
  for (const std::string& setting : settings) {
    const auto [index, text] = split(metadata.knobs, setting);
    positions[index] = metadata.knobs[index].position(value_of(metadata.knobs[index], text));
  }
  return positions;
}

}  // namespace neutone::host
