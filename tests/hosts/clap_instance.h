#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "clap/events.h"
#include "clap/ext/params.h"
#include "clap/host.h"
#include "clap/plugin.h"
#include "clap_library.h"
#include "clap_options.h"
#include "host_files.h"

namespace neutone::test {

// Of all channels, one after the other.
struct Audio {
  std::size_t frames = 0;
  std::vector<float> samples;
};

// One plugin with the host that it sees. The options have to outlive it.
class Instance {
 public:
  Instance(const Library& library, const Options& options);
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;
  ~Instance() { plugin_->destroy(plugin_); }

  void start();
  void stop();
  // Callback of `frames` frames from `first` on, and whatever a host does in between.
  void play(const Audio& in, Audio& out, std::size_t first, std::uint32_t frames);

  void save_state(const std::string& path) const;
  // The members of a JSON object, and its end.
  [[nodiscard]] std::string report() const;

 private:
  static Instance& self(const clap_host_t* host) { return *static_cast<Instance*>(host->host_data); }
  static const void* host_extension(const clap_host_t* host, const char* id);

  template <typename Extension>
  [[nodiscard]] const Extension* extension(const char* id) const {
    const void* found = plugin_->get_extension(plugin_, id);
    require(found != nullptr, std::string("the plugin has no ") + id);
    return static_cast<const Extension*>(found);
  }

  void check_ports() const;
  // Some noise that must be forgotten, as in hosts that warm a plugin up. Nothing of it counts: DPF asks for a restart
  // with the first latency that it sees.
  void pre_roll();
  void activate();
  void load_state();
  // Collects what changes from `first` on.
  void send(std::size_t first, std::size_t frames);
  void process(const Audio& in, Audio& out, std::size_t first, std::uint32_t frames);
  [[nodiscard]] clap_input_events_t input_events();
  [[nodiscard]] std::uint32_t largest_block() const;
  [[nodiscard]] std::uint32_t latency() const;

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

}  // namespace neutone::test
