#include "clap_instance.h"

#include <algorithm>
#include <cstring>
#include <sstream>
#include <utility>

#include "clap/ext/audio-ports.h"
#include "clap/ext/latency.h"
#include "clap/ext/state.h"
#include "clap/plugin-factory.h"

namespace neutone::test {
namespace {

const clap_output_events_t kNoOutputEvents{
    nullptr, [](const clap_output_events_t*, const clap_event_header_t*) { return true; }};

}  // namespace

Instance::Instance(const Library& library, const Options& options) : options_(options) {
  const clap_plugin_factory_t& factory = library.factory();
  plugin_ = factory.create_plugin(&factory, &host_, factory.get_plugin_descriptor(&factory, 0)->id);
  require(plugin_ != nullptr && plugin_->init(plugin_), "the plugin does not start");
  params_ = extension<clap_plugin_params_t>(CLAP_EXT_PARAMS);  // NOLINT(*-prefer-member-initializer): only after init
  for (std::uint32_t i = 0; i < params_->count(plugin_); ++i) {
    clap_param_info_t info{};
    require(params_->get_info(plugin_, i, &info), "a control without information");
    ids_[info.name] = info.id;
  }
  check_ports();
}

void Instance::start() {
  send(0, 1);
  const clap_input_events_t in = input_events();
  if (!events_.empty()) params_->flush(plugin_, &in, &kNoOutputEvents);
  if (options_.load_frame == 0) load_state();
  activate();
  pre_roll();
}

void Instance::stop() {
  plugin_->stop_processing(plugin_);
  plugin_->deactivate(plugin_);
}

void Instance::play(const Audio& in, Audio& out, std::size_t first, std::uint32_t frames) {
  if (options_.load_frame > 0 && first >= options_.load_frame && !std::exchange(is_loaded_, true)) load_state();
  if (std::exchange(wants_callback_, false)) plugin_->on_main_thread(plugin_);
  if (std::exchange(wants_restart_, false)) {
    stop();
    activate();
    ++restarts_;
  }
  process(in, out, first, frames);
  const std::uint32_t now = latency();
  if (latencies_.empty() || latencies_.back() != now) latencies_.push_back(now);
}

void Instance::save_state(const std::string& path) const {
  std::string state;
  const clap_ostream_t stream{&state, [](const clap_ostream_t* self, const void* data, std::uint64_t size) {
                                static_cast<std::string*>(self->ctx)->append(static_cast<const char*>(data), size);
                                return static_cast<std::int64_t>(size);
                              }};
  require(extension<clap_plugin_state_t>(CLAP_EXT_STATE)->save(plugin_, &stream), "cannot save the state");
  write_file(path, state);
}

std::string Instance::report() const {
  std::ostringstream json;
  json << R"("id": ")" << plugin_->desc->id << R"(", "latencies": [)";
  for (std::size_t i = 0; i < latencies_.size(); ++i) json << (i > 0 ? ", " : "") << latencies_[i];
  json << R"(], "restarts": )" << restarts_ << R"(, "latency_changes_told": )" << latency_changes_told_
       << R"(, "controls": {)";
  const char* separator = "";
  for (const auto& [name, id] : ids_) {
    double value = 0.0;
    require(params_->get_value(plugin_, id, &value), name + " has no value");
    json << std::exchange(separator, ", ") << '"' << name << "\": " << value;
  }
  json << "}}";
  return json.str();
}

const void* Instance::host_extension(const clap_host_t* /*host*/, const char* id) {
  // DPF calls this one whether it is there or not.
  static const clap_host_latency_t latency{[](const clap_host_t* host) { ++self(host).latency_changes_told_; }};
  return std::strcmp(id, CLAP_EXT_LATENCY) == 0 ? &latency : nullptr;
}

void Instance::check_ports() const {
  const auto* ports = extension<clap_plugin_audio_ports_t>(CLAP_EXT_AUDIO_PORTS);
  for (const bool is_input : {true, false}) {
    clap_audio_port_info_t info{};
    require(ports->count(plugin_, is_input) == 1 && ports->get(plugin_, 0, is_input, &info) &&
                info.channel_count == options_.channels,
            "the plugin has other channels");
  }
}

void Instance::pre_roll() {
  const std::uint32_t frames = largest_block();
  const Audio noise{frames, std::vector<float>(options_.channels * frames, 0.25F)};
  Audio out = noise;
  process(noise, out, 0, frames);
  stop();
  wants_restart_ = false;
  activate();
}

void Instance::activate() {
  require(plugin_->activate(plugin_, options_.sample_rate_hz, 1, largest_block()), "cannot activate");
  require(plugin_->start_processing(plugin_), "cannot start processing");
}

void Instance::load_state() {
  if (options_.load.empty()) return;
  const std::string text = read_file(options_.load);
  std::istringstream state(text);
  const clap_istream_t stream{&state, [](const clap_istream_t* self, void* data, std::uint64_t size) {
                                auto& from = *static_cast<std::istringstream*>(self->ctx);
                                from.read(static_cast<char*>(data), static_cast<std::streamsize>(size));
                                return static_cast<std::int64_t>(from.gcount());
                              }};
  require(extension<clap_plugin_state_t>(CLAP_EXT_STATE)->load(plugin_, &stream), "cannot load the state");
}

void Instance::send(std::size_t first, std::size_t frames) {
  events_.clear();
  for (const Change& change : options_.changes) {
    if (change.frame < first || change.frame >= first + frames) continue;
    require(ids_.contains(change.control), "the plugin has no control " + change.control);
    clap_event_param_value_t event{};
    event.header = {sizeof event, 0, CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_PARAM_VALUE, 0};
    event.param_id = ids_[change.control];
    event.note_id = event.port_index = event.channel = event.key = -1;
    event.value = change.value;
    events_.push_back(event);
  }
}

clap_input_events_t Instance::input_events() {
  return {&events_,
          [](const clap_input_events_t* list) {
            return static_cast<std::uint32_t>(static_cast<decltype(events_)*>(list->ctx)->size());
          },
          [](const clap_input_events_t* list, std::uint32_t i) -> const clap_event_header_t* {
            return &(*static_cast<decltype(events_)*>(list->ctx))[i].header;
          }};
}

void Instance::process(const Audio& in, Audio& out, std::size_t first, std::uint32_t frames) {
  std::vector<float*> ins;
  std::vector<float*> outs;
  for (std::size_t channel = 0; channel < options_.channels; ++channel) {
    const std::size_t at = channel * in.frames + first;
    outs.push_back(out.samples.data() + at);
    if (options_.is_in_place) std::copy_n(in.samples.data() + at, frames, outs.back());
    ins.push_back(options_.is_in_place ? outs.back() : const_cast<float*>(in.samples.data() + at));
  }
  const auto channels = static_cast<std::uint32_t>(options_.channels);
  const clap_audio_buffer_t input{ins.data(), nullptr, channels, 0, 0};
  clap_audio_buffer_t output{outs.data(), nullptr, channels, 0, 0};
  send(first, frames);
  const clap_input_events_t events = input_events();
  const clap_process_t callback{
      static_cast<std::int64_t>(first), frames, nullptr, &input, &output, 1, 1, &events, &kNoOutputEvents};
  require(plugin_->process(plugin_, &callback) != CLAP_PROCESS_ERROR, "the plugin cannot process");
}

std::uint32_t Instance::largest_block() const { return *std::ranges::max_element(options_.blocks); }

std::uint32_t Instance::latency() const { return extension<clap_plugin_latency_t>(CLAP_EXT_LATENCY)->get(plugin_); }

}  // namespace neutone::test
