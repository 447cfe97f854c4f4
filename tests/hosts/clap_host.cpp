// A host of CLAP plugins without a sound card: feeds a plugin from a file of floats, in blocks that change in every
// callback, and says as one line of JSON what the plugin reported. Exits with 1 and a message where a host would give
// up.
//
//   clap_host PLUGIN.clap IN OUT [option value]...
//     IN, OUT       raw float32, one channel after the other; as long as each other
//     --rate        in Hz; 48000
//     --channels    2
//     --blocks      frames of the callbacks, again and again, with commas: 0 too; 64
//     --set         control=value, before the plugin is activated; more than once
//     --at          frame:control=value, from the callback on that begins there or after; more than once
//     --load-at     frame:FILE, a state; 0: before the plugin is activated
//     --save        FILE, for the state at the end
//     --instances   of the plugin, which all get the same; 1
//     --rounds      of loading the library, playing everything and unloading it; 1
//     --in-place    1: one buffer for input and output
//     --realtime    1: wait for each callback until it is due
#include <dlfcn.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "clap/entry.h"
#include "clap/ext/audio-ports.h"
#include "clap/ext/latency.h"
#include "clap/ext/params.h"
#include "clap/ext/state.h"
#include "clap/plugin-factory.h"

namespace {

void require(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error(what);
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  require(file.good(), "cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const std::string& path, const char* data, std::size_t size) {
  std::ofstream file(path, std::ios::binary);
  file.write(data, static_cast<std::streamsize>(size));
  require(file.good(), "cannot write " + path);
}

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

Options parse(const std::vector<std::string>& arguments) {
  require(arguments.size() >= 3 && arguments.size() % 2 == 1, "usage: clap_host PLUGIN IN OUT [option value]...");
  Options options;
  options.plugin = arguments[0];
  options.in = arguments[1];
  options.out = arguments[2];
  for (std::size_t i = 3; i < arguments.size(); i += 2) parse_option(options, arguments[i], arguments[i + 1]);
  return options;
}

// Audio of all channels, one after the other.
struct Audio {
  std::size_t frames = 0;
  std::vector<float> samples;

  static Audio read(const std::string& path, std::size_t channels) {
    const std::string bytes = read_file(path);
    Audio audio{bytes.size() / sizeof(float) / channels, std::vector<float>(bytes.size() / sizeof(float))};
    require(audio.frames * channels * sizeof(float) == bytes.size(), path + ": not as long in all channels");
    std::memcpy(audio.samples.data(), bytes.data(), bytes.size());
    return audio;
  }
};

// The library of a plugin, until it is unloaded.
class Library {
 public:
  explicit Library(const std::string& path)
      : handle_(open(path)), entry_(static_cast<const clap_plugin_entry_t*>(dlsym(handle_, "clap_entry"))) {
    require(entry_ != nullptr && entry_->init(path.c_str()), "no CLAP entry");
  }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  ~Library() {
    entry_->deinit();
    dlclose(handle_);
  }

  [[nodiscard]] const clap_plugin_factory_t& factory() const {
    const auto* factory = static_cast<const clap_plugin_factory_t*>(entry_->get_factory(CLAP_PLUGIN_FACTORY_ID));
    require(factory != nullptr && factory->get_plugin_count(factory) == 1, "no factory with one plugin");
    return *factory;
  }

 private:
  static void* open(const std::string& path) {
    void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    require(handle != nullptr, std::string("cannot load: ") + (handle == nullptr ? dlerror() : ""));
    return handle;
  }

  void* handle_;
  const clap_plugin_entry_t* entry_;
};

// One plugin with the host that it sees.
class Instance {
 public:
  Instance(const Library& library, const Options& options) : options_(options) {
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
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;
  ~Instance() { plugin_->destroy(plugin_); }

  void start() {
    send(0, 1);
    const clap_input_events_t in = input_events();
    if (!events_.empty()) params_->flush(plugin_, &in, &kNoOutputEvents);
    if (options_.load_frame == 0) load_state();
    activate();
    pre_roll();
  }

  void stop() {
    plugin_->stop_processing(plugin_);
    plugin_->deactivate(plugin_);
  }

  // Callback of `frames` frames from `first` on, and whatever a host does in between.
  void play(const Audio& in, Audio& out, std::size_t first, std::uint32_t frames) {
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

  void save_state(const std::string& path) const {
    std::string state;
    const clap_ostream_t stream{&state, [](const clap_ostream_t* self, const void* data, std::uint64_t size) {
                                  static_cast<std::string*>(self->ctx)->append(static_cast<const char*>(data), size);
                                  return static_cast<std::int64_t>(size);
                                }};
    require(extension<clap_plugin_state_t>(CLAP_EXT_STATE)->save(plugin_, &stream), "cannot save the state");
    write_file(path, state.data(), state.size());
  }

  // The members of a JSON object, and its end.
  [[nodiscard]] std::string report() const {
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

 private:
  static inline const clap_output_events_t kNoOutputEvents{
      nullptr, [](const clap_output_events_t*, const clap_event_header_t*) { return true; }};

  static Instance& self(const clap_host_t* host) { return *static_cast<Instance*>(host->host_data); }

  static const void* host_extension(const clap_host_t* /*host*/, const char* id) {
    // DPF calls this one whether it is there or not.
    static const clap_host_latency_t latency{[](const clap_host_t* host) { ++self(host).latency_changes_told_; }};
    return std::strcmp(id, CLAP_EXT_LATENCY) == 0 ? &latency : nullptr;
  }

  template <typename Extension>
  [[nodiscard]] const Extension* extension(const char* id) const {
    const void* found = plugin_->get_extension(plugin_, id);
    require(found != nullptr, std::string("the plugin has no ") + id);
    return static_cast<const Extension*>(found);
  }

  void check_ports() const {
    const auto* ports = extension<clap_plugin_audio_ports_t>(CLAP_EXT_AUDIO_PORTS);
    for (const bool is_input : {true, false}) {
      clap_audio_port_info_t info{};
      require(ports->count(plugin_, is_input) == 1 && ports->get(plugin_, 0, is_input, &info) &&
                  info.channel_count == options_.channels,
              "the plugin has other channels");
    }
  }

  // Some noise that must be forgotten, as in hosts that warm a plugin up. Nothing of it counts: DPF asks for a restart
  // with the first latency that it sees.
  void pre_roll() {
    const std::uint32_t frames = largest_block();
    const Audio noise{frames, std::vector<float>(options_.channels * frames, 0.25F)};
    Audio out = noise;
    process(noise, out, 0, frames);
    stop();
    wants_restart_ = false;
    activate();
  }

  [[nodiscard]] std::uint32_t largest_block() const { return *std::ranges::max_element(options_.blocks); }

  [[nodiscard]] std::uint32_t latency() const {
    return extension<clap_plugin_latency_t>(CLAP_EXT_LATENCY)->get(plugin_);
  }

  void activate() {
    require(plugin_->activate(plugin_, options_.sample_rate_hz, 1, largest_block()), "cannot activate");
    require(plugin_->start_processing(plugin_), "cannot start processing");
  }

  void load_state() {
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

  // Collects what changes from `first` on.
  void send(std::size_t first, std::size_t frames) {
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

  clap_input_events_t input_events() {
    return {&events_,
            [](const clap_input_events_t* list) {
              return static_cast<std::uint32_t>(static_cast<decltype(events_)*>(list->ctx)->size());
            },
            [](const clap_input_events_t* list, std::uint32_t i) -> const clap_event_header_t* {
              return &(*static_cast<decltype(events_)*>(list->ctx))[i].header;
            }};
  }

  void process(const Audio& in, Audio& out, std::size_t first, std::uint32_t frames) {
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

  const Options& options_;
  const clap_plugin_t* plugin_ = nullptr;
  const clap_plugin_params_t* params_ = nullptr;
  std::map<std::string, clap_id> ids_;
  std::vector<clap_event_param_value_t> events_;
  std::vector<std::uint32_t> latencies_;  // each once, in their order
  std::size_t restarts_ = 0;
  std::size_t latency_changes_told_ = 0;
  bool wants_restart_ = false;
  bool wants_callback_ = false;
  bool is_loaded_ = false;
  clap_host_t host_{CLAP_VERSION,
                    this,
                    "clap_host",
                    "neutone_sdk",
                    "",
                    "1",
                    &Instance::host_extension,
                    [](const clap_host_t* host) { self(host).wants_restart_ = true; },
                    [](const clap_host_t*) {},
                    [](const clap_host_t* host) { self(host).wants_callback_ = true; }};
};

// Plays everything through all instances, and gives what the first one played and said.
std::pair<Audio, std::string> play(const Options& options, const Audio& in) {
  const Library library(options.plugin);
  std::vector<std::unique_ptr<Instance>> instances;
  std::vector<Audio> outs(options.instances, {in.frames, std::vector<float>(in.samples.size())});
  for (std::size_t i = 0; i < options.instances; ++i) {
    instances.push_back(std::make_unique<Instance>(library, options));
    instances.back()->start();
  }
  const auto begin = std::chrono::steady_clock::now();
  for (std::size_t first = 0, callback = 0; first < in.frames; ++callback) {
    const std::size_t frames =
        std::min<std::size_t>(options.blocks[callback % options.blocks.size()], in.frames - first);
    if (options.is_realtime) {
      const std::chrono::duration<double> due(static_cast<double>(first + frames) / options.sample_rate_hz);
      std::this_thread::sleep_until(begin + due);
    }
    for (std::size_t i = 0; i < options.instances; ++i) {
      instances[i]->play(in, outs[i], first, static_cast<std::uint32_t>(frames));
    }
    first += frames;
  }
  for (const auto& instance : instances) instance->stop();
  for (const Audio& out : outs) require(out.samples == outs[0].samples, "the instances differ");
  if (!options.save.empty()) instances[0]->save_state(options.save);
  return {outs[0], instances[0]->report()};
}

// Memory of this process, as the system counts it.
std::int64_t resident_kib() {
  constexpr std::int64_t kPageKib = 4;
  std::ifstream file("/proc/self/statm");
  std::int64_t pages = 0;
  file >> pages >> pages;
  return pages * kPageKib;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Options options = parse({argv + 1, argv + argc});
    const Audio in = Audio::read(options.in, options.channels);
    const auto [first_out, report] = play(options, in);
    std::string resident = std::to_string(resident_kib());
    for (std::size_t round = 1; round < options.rounds; ++round) {
      require(play(options, in).first.samples == first_out.samples, "another round, another output");
      resident += ", " + std::to_string(resident_kib());
    }
    const auto* bytes = reinterpret_cast<const char*>(first_out.samples.data());
    write_file(options.out, bytes, first_out.samples.size() * sizeof(float));
    std::printf(R"({"resident_kib": [%s], %s)"
                "\n",
                resident.c_str(), report.c_str());
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "clap_host: %s\n", error.what());
    return 1;
  }
}
