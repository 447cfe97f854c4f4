// For hosts of LV2 that offer no features and refuse ports of events, such as lv2apply: another face of a plugin, which
// has the features itself and hides those ports. The plugin behind it is the one at NEUTONE_BARE_LV2, unchanged; its
// URI here ends in "#bare". When a host is done with it, it says on stderr what latency was reported.
#include <dlfcn.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "lv2/atom.h"
#include "lv2/buf-size.h"
#include "lv2/lv2.h"
#include "lv2/options.h"
#include "lv2/urid.h"
#include "lv2/worker.h"

namespace {

constexpr std::uint32_t kEventPorts = 2;  // behind the audio's

LV2_URID map(LV2_URID_Map_Handle /*handle*/, const char* uri) {
  static std::vector<std::string> uris;
  for (std::size_t i = 0; i < uris.size(); ++i) {
    if (uris[i] == uri) return static_cast<LV2_URID>(i + 1);
  }
  uris.emplace_back(uri);
  return static_cast<LV2_URID>(uris.size());
}

const LV2_Descriptor* real() {
  static const LV2_Descriptor* const descriptor = [] {
    const char* path = std::getenv("NEUTONE_BARE_LV2");
    // NOLINTNEXTLINE(clang-analyzer-optin.taint.GenericTaint): a test says what to open
    void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      std::fprintf(stderr, "bare_lv2: %s\n", dlerror());
      std::abort();
    }
    return reinterpret_cast<LV2_Descriptor_Function>(dlsym(library, "lv2_descriptor"))(0);
  }();
  return descriptor;
}

// A plugin, and what its ports of events are connected with.
struct Instance {
  LV2_Handle plugin = nullptr;
  std::uint32_t audio_ports = 0;
  const float* latency_samples = nullptr;
  alignas(8) std::array<std::array<std::uint8_t, 4096>, kEventPorts> events{};

  void forget_events() {
    for (std::uint32_t i = 0; i < kEventPorts; ++i) {
      LV2_Atom_Sequence empty{};
      empty.atom.type = map(nullptr, i == 0 ? LV2_ATOM__Sequence : LV2_ATOM__Chunk);
      const std::size_t size = i == 0 ? sizeof(LV2_Atom_Sequence_Body) : events[i].size() - sizeof(LV2_Atom);
      empty.atom.size = static_cast<std::uint32_t>(size);
      std::memcpy(events[i].data(), &empty, sizeof empty);
    }
  }
};

LV2_Handle instantiate(const LV2_Descriptor* /*self*/, double rate_hz, const char* bundle,
                       const LV2_Feature* const* /*features*/) {
  static const std::int32_t largest_block = 64;  // models of any block get one that they can afford
  LV2_URID_Map urid_map{nullptr, &map};
  LV2_Worker_Schedule schedule{
      nullptr, [](LV2_Worker_Schedule_Handle, std::uint32_t, const void*) { return LV2_WORKER_ERR_UNKNOWN; }};
  const std::array<LV2_Options_Option, 2> options{{{LV2_OPTIONS_INSTANCE, 0, map(nullptr, LV2_BUF_SIZE__maxBlockLength),
                                                    sizeof largest_block, map(nullptr, LV2_ATOM__Int), &largest_block},
                                                   {}}};
  const LV2_Feature of_map{LV2_URID__map, &urid_map};
  const LV2_Feature of_options{LV2_OPTIONS__options, const_cast<LV2_Options_Option*>(options.data())};
  const LV2_Feature of_worker{LV2_WORKER__schedule, &schedule};
  const std::array<const LV2_Feature*, 4> features{&of_map, &of_options, &of_worker, nullptr};
  auto* instance = new Instance;
  instance->plugin = real()->instantiate(real(), rate_hz, bundle, features.data());
  if (instance->plugin == nullptr) std::abort();
  instance->audio_ports = std::strstr(real()->URI, "mono") == nullptr ? 4 : 2;
  for (std::uint32_t i = 0; i < kEventPorts; ++i) {
    real()->connect_port(instance->plugin, instance->audio_ports + i, instance->events[i].data());
  }
  return instance;
}

Instance& self(LV2_Handle handle) { return *static_cast<Instance*>(handle); }

void connect_port(LV2_Handle handle, std::uint32_t port, void* data) {
  const std::uint32_t hidden = port < self(handle).audio_ports ? 0 : kEventPorts;
  real()->connect_port(self(handle).plugin, port + hidden, data);
  if (port == self(handle).audio_ports) self(handle).latency_samples = static_cast<const float*>(data);
}

void run(LV2_Handle handle, std::uint32_t frames) {
  self(handle).forget_events();
  real()->run(self(handle).plugin, frames);
}

void cleanup(LV2_Handle handle) {
  if (self(handle).latency_samples != nullptr) std::fprintf(stderr, "latency: %g\n", *self(handle).latency_samples);
  real()->cleanup(self(handle).plugin);
  delete &self(handle);
}

}  // namespace

LV2_SYMBOL_EXPORT const LV2_Descriptor* lv2_descriptor(std::uint32_t index) {
  static const std::string uri = std::string(real()->URI) + "#bare";
  static const LV2_Descriptor descriptor{
      uri.c_str(),   &instantiate,
      &connect_port, [](LV2_Handle handle) { real()->activate(self(handle).plugin); },
      &run,          [](LV2_Handle handle) { real()->deactivate(self(handle).plugin); },
      &cleanup,      [](const char* /*uri*/) -> const void* { return nullptr; },
  };
  return index == 0 ? &descriptor : nullptr;
}
