// Watches the callbacks of LV2 plugins in any host, neither of which knows: loaded before everything else (LD_PRELOAD),
// it stands between the host and the plugin's `run`. At the end of the process it adds a line to the file that the
// environment variable NEUTONE_WATCH names: callbacks, and calls to the heap, to locks and to the system in them.
#include <dlfcn.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string_view>
#include <utility>

#include "callback_watch.h"
#include "lv2_descriptor.h"

// NOLINTBEGIN(cppcoreguidelines-avoid-non-const-global-variables): it is the process's, as what it watches

namespace {

using Descriptor = neutone::test::Lv2Descriptor;
using DescriptorFunction = neutone::test::Lv2DescriptorFunction;
using LookUp = void*(void* library, const char* name);

struct Total {
  std::atomic<std::size_t> callbacks{0};
  std::atomic<std::size_t> heap{0};
  std::atomic<std::size_t> locks{0};
  std::atomic<std::size_t> system{0};
  std::atomic<long> latest_system_call{-1};
};
Total total;

// A library of plugins, of which the first is watched: others have other libraries here.
struct Library {
  DescriptorFunction* descriptors = nullptr;
  const Descriptor* plugin = nullptr;
  Descriptor watched{};
};
constexpr std::size_t kMaxLibraries = 8;
std::array<Library, kMaxLibraries> libraries;

thread_local bool is_watching = false;  // a plugin may have another inside

template <std::size_t kLibrary>
void watched_run(void* instance, std::uint32_t frames) {
  const auto run = [&] { libraries[kLibrary].plugin->run(instance, frames); };
  if (std::exchange(is_watching, true)) {
    run();
    return;
  }
  static thread_local neutone::test::CallbackWatch watch;
  const neutone::test::CallbackCounts before = watch.counts();
  watch.run(run);
  const neutone::test::CallbackCounts& after = watch.counts();
  ++total.callbacks;
  total.heap += after.heap - before.heap;
  total.locks += after.locks - before.locks;
  total.system += after.system.others - before.system.others;
  total.latest_system_call = after.system.latest;
  is_watching = false;
}

template <std::size_t kLibrary>
const Descriptor* watched_descriptor(std::uint32_t index) {
  Library& library = libraries[kLibrary];
  const Descriptor* const plugin = library.descriptors(index);
  if (index > 0 || plugin == nullptr) return plugin;
  library.plugin = plugin;
  library.watched = *plugin;
  library.watched.run = watched_run<kLibrary>;
  return &library.watched;
}

template <std::size_t... kLibraries>
constexpr auto watched_descriptors(std::index_sequence<kLibraries...> /*all*/) {
  return std::array{&watched_descriptor<kLibraries>...};
}

// What a host gets in place of a library's own function.
void* watch(DescriptorFunction* descriptors) {
  constexpr auto kWatched = watched_descriptors(std::make_index_sequence<kMaxLibraries>());
  for (std::size_t i = 0; descriptors != nullptr && i < kMaxLibraries; ++i) {
    DescriptorFunction*& known = libraries[i].descriptors;
    if (known == nullptr) known = descriptors;
    if (known == descriptors) return reinterpret_cast<void*>(kWatched[i]);
  }
  return reinterpret_cast<void*>(descriptors);
}

LookUp* real_look_up() {
  for (const char* version : {"GLIBC_2.34", "GLIBC_2.2.5"}) {
    if (void* const found = dlvsym(RTLD_NEXT, "dlsym", version)) return reinterpret_cast<LookUp*>(found);
  }
  std::abort();
}

[[gnu::destructor]] void report() {
  const char* const path = std::getenv("NEUTONE_WATCH");  // NOLINT(concurrency-mt-unsafe): nobody writes it
  if (path == nullptr || total.callbacks == 0) return;
  std::ofstream(path, std::ios::app) << "callbacks " << total.callbacks << " heap " << total.heap << " locks "
                                     << total.locks << " system " << total.system << " latest "
                                     << total.latest_system_call << "\n";
}

}  // namespace

// Whoever looks for a name relative to itself must be the one that the real function returns to: so that is the last
// thing here, and compilers jump there.
// NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): the C library's are reserved
extern "C" [[gnu::visibility("default")]] void* dlsym(void* library, const char* name) noexcept {
  static constinit std::atomic<LookUp*> known = nullptr;
  LookUp* look_up = known.load(std::memory_order_relaxed);
  if (look_up == nullptr) {
    look_up = real_look_up();
    known.store(look_up, std::memory_order_relaxed);
  }
  if (std::string_view(name) == neutone::test::kLv2DescriptorName && library != RTLD_NEXT) {
    return watch(reinterpret_cast<DescriptorFunction*>(look_up(library, name)));
  }
  return look_up(library, name);
}

// NOLINTEND(cppcoreguidelines-avoid-non-const-global-variables)
