#include "metadata.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>
#include <utility>

#include "errors.h"

namespace neutone::host {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 32;
constexpr std::size_t kMaxValues = 65'536;
constexpr std::size_t kMaxShown = 40;
constexpr std::size_t kMaxKnobs = 4;
// The largest whole number that every double up to it holds exactly: more is no rate and no size.
constexpr double kMaxWhole = 9'007'199'254'740'992.0;

[[noreturn]] void refuse(const std::string& place, const std::string& allowed, const json& received) {
  std::string shown = received.dump(-1, ' ', true, json::error_handler_t::replace);
  if (shown.size() > kMaxShown) shown = shown.substr(0, kMaxShown) + "...";
  throw LoadError("in its metadata.json, " + place + " must be " + allowed + ", got " + shown +
                  "; export it again with save_neutone_model");
}

std::string as_text(const json& value, const std::string& place) {
  if (!value.is_string()) refuse(place, "a text", value);
  return value.get<std::string>();
}

// Files of 1.x hold numbers as texts.
std::optional<double> number_in(const json& value) {
  if (value.is_number()) return value.get<double>();
  if (!value.is_string()) return std::nullopt;
  const auto& text = value.get_ref<const std::string&>();
  double number = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

double as_number(const json& value, const std::string& place) {
  const std::optional<double> number = number_in(value);
  if (!number || !std::isfinite(*number)) refuse(place, "a number", value);
  return *number;
}

std::int64_t as_count(const json& value, const std::string& place, std::int64_t least) {
  const std::optional<double> number = number_in(value);
  if (!number || *number != std::floor(*number) || *number < static_cast<double>(least) || *number > kMaxWhole) {
    refuse(place, "a whole number of at least " + std::to_string(least), value);
  }
  return static_cast<std::int64_t>(*number);
}

double as_position(const json& value, const std::string& place) {
  const double number = as_number(value, place);
  if (number < 0.0 || number > 1.0) refuse(place, "a number from 0 to 1", value);
  return number;
}

// Files of 1.x hold booleans as texts.
bool as_boolean(const json& value, const std::string& place) {
  if (value.is_boolean()) return value.get<bool>();
  if (value == "True" || value == "true" || value == "1" || value == 1) return true;
  if (value == "False" || value == "false" || value == "0" || value == 0) return false;
  refuse(place, "true or false", value);
}

// An object whose keys may be missing, or null, as in files of 1.x; then `target` stays as it is.
class Reader {
 public:
  Reader(const json& object, std::string place) : object_(object), place_(std::move(place)) {
    if (!object.is_object()) refuse(place_.empty() ? "all of it" : place_, "an object", object);
  }

  [[nodiscard]] const json* find(const char* key) const {
    const auto found = object_.find(key);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }
  [[nodiscard]] std::string place_of(const std::string& key) const { return place_.empty() ? key : place_ + "." + key; }

  template <typename Target, typename Convert, typename... Limits>
  void read(const char* key, Target& target, const Convert& convert, Limits... limits) const {
    if (const json* value = find(key)) target = convert(*value, place_of(key), limits...);
  }

  template <typename Element, typename Convert, typename... Limits>
  void read_list(const char* key, std::vector<Element>& target, const Convert& convert, Limits... limits) const {
    const json* list = find(key);
    if (list == nullptr) return;
    if (!list->is_array()) refuse(place_of(key), "a list", *list);
    for (std::size_t i = 0; i < list->size(); ++i) {
      target.push_back(convert((*list)[i], place_of(key) + "[" + std::to_string(i) + "]", limits...));
    }
  }

  void read_texts(const char* key, std::map<std::string, std::string>& target) const {
    const json* object = find(key);
    if (object == nullptr) return;
    if (!object->is_object()) refuse(place_of(key), "an object of texts", *object);
    for (const auto& [name, value] : object->items()) target[name] = as_text(value, place_of(key) + "." + name);
  }

 private:
  const json& object_;
  std::string place_;
};

void read_range(const Reader& parameter, Knob& knob) {
  if (const json* n_values = parameter.find("n_values")) {
    knob.kind = KnobKind::kCategorical;
    knob.max_value = static_cast<double>(as_count(*n_values, parameter.place_of("n_values"), 2)) - 1.0;
  } else {
    parameter.read("min_value", knob.min_value, as_number);
    parameter.read("max_value", knob.max_value, as_number);
  }
  if (!(knob.min_value < knob.max_value)) refuse(parameter.place_of("min_value"), "below max_value", knob.min_value);
  if (knob.default_value < knob.min_value || knob.default_value > knob.max_value) {
    refuse(parameter.place_of("default_value"), "between min_value and max_value", knob.default_value);
  }
}

Knob knob_from(const Reader& parameter) {
  Knob knob;
  if (parameter.find("name") == nullptr) refuse(parameter.place_of("name"), "a text", nullptr);
  parameter.read("name", knob.name, as_text);
  parameter.read("description", knob.description, as_text);
  parameter.read("used", knob.is_used, as_boolean);
  parameter.read("default_value", knob.default_value, as_number);
  parameter.read_list("labels", knob.labels, as_text);
  read_range(parameter, knob);
  if (!knob.labels.empty() && static_cast<double>(knob.labels.size()) != knob.max_value + 1.0) {
    refuse(parameter.place_of("labels"), "one for each of n_values", knob.labels.size());
  }
  return knob;
}

// Texts and tokens are for models that render whole clips; no knob stands for them.
bool is_numerical(const Reader& parameter) {
  std::string type;
  parameter.read("type", type, as_text);
  return type != "text" && type != "tokens";
}

std::vector<Knob> knobs_from(const Reader& metadata) {
  std::vector<Knob> knobs;
  const json* parameters = metadata.find("neutone_parameters");
  if (parameters == nullptr) return knobs;
  if (!parameters->is_object()) refuse("neutone_parameters", "an object", *parameters);
  for (const auto& [key, value] : parameters->items()) {
    const Reader parameter(value, "neutone_parameters." + key);
    if (is_numerical(parameter)) knobs.push_back(knob_from(parameter));
  }
  if (knobs.size() > kMaxKnobs) refuse("neutone_parameters", "at most 4 knobs and menus", knobs.size());
  return knobs;
}

// Parsed values take many times the memory of their text: they are counted as they come.
json parsed(std::string_view text) {
  std::size_t values = 0;
  const auto count = [&values](int depth, json::parse_event_t, const json&) {
    if (++values > 2 * kMaxValues || depth > kMaxDepth) {
      throw LoadError("its metadata.json holds more values, or deeper ones, than any metadata");
    }
    return true;
  };
  try {
    return json::parse(text.begin(), text.end(), count);
  } catch (const json::parse_error& error) {  // its own message repeats what may be no text
    throw LoadError("its metadata.json is not JSON that can be read, from byte " + std::to_string(error.byte) + " on");
  } catch (const json::exception& error) {
    throw LoadError(std::string("its metadata.json is not JSON that can be read: ") + error.what());
  }
}

void read_descriptions(const Reader& reader, Metadata& metadata) {
  reader.read("model_name", metadata.name, as_text);
  reader.read_list("model_authors", metadata.authors, as_text);
  reader.read("model_version", metadata.version, as_text);
  reader.read("model_short_description", metadata.short_description, as_text);
  reader.read("model_long_description", metadata.long_description, as_text);
  reader.read("technical_description", metadata.technical_description, as_text);
  reader.read_texts("technical_links", metadata.technical_links);
  reader.read_list("tags", metadata.tags, as_text);
  reader.read("citation", metadata.citation, as_text);
  reader.read("is_experimental", metadata.is_experimental, as_boolean);
  reader.read("sdk_version", metadata.sdk_version, as_text);
  reader.read("pytorch_version", metadata.torch_version, as_text);
}

void read_settings(const Reader& reader, Metadata& metadata) {
  metadata.knobs = knobs_from(reader);
  reader.read("wet_default_value", metadata.wet_default, as_position);
  reader.read("dry_default_value", metadata.dry_default, as_position);
  reader.read("input_gain_default_value", metadata.input_gain_default, as_position);
  reader.read("output_gain_default_value", metadata.output_gain_default, as_position);
  reader.read("is_input_mono", metadata.is_input_mono, as_boolean);
  reader.read("is_output_mono", metadata.is_output_mono, as_boolean);
  reader.read_list("native_sample_rates", metadata.native_sample_rates_hz, as_count, 1);
  reader.read_list("native_buffer_sizes", metadata.native_block_sizes_frames, as_count, 1);
  reader.read("look_behind_samples", metadata.look_behind_samples, as_count, 0);
  reader.read("look_ahead_samples", metadata.look_ahead_samples, as_count, 0);
  reader.read("flavour", metadata.flavour, as_text);
  reader.read_texts("required_ops", metadata.required_ops);
}

}  // namespace

Metadata parse_metadata(std::string_view json_text, const std::string& source) {
  try {
    const json whole = parsed(json_text);
    const Reader reader(whole, "");
    Metadata metadata;
    read_descriptions(reader, metadata);
    read_settings(reader, metadata);
    metadata.json = json_text;
    return metadata;
  } catch (const LoadError& error) {
    throw LoadError(source + ": " + error.what());
  }
}

}  // namespace neutone::host
