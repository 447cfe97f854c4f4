#include "operators.h"

#include <dlfcn.h>

#include <cstdlib>
#include <mutex>
#include <system_error>
#include <vector>

#include "errors.h"
#include "torch_place.h"

namespace neutone::host {
namespace {

namespace fs = std::filesystem;

#ifdef __APPLE__
constexpr const char* kFileName = "libneutone_ops.dylib";
#else
constexpr const char* kFileName = "libneutone_ops.so";
#endif
constexpr const char* kVariable = "NEUTONE_OPS_LIBRARY";

// The folder of the executable or shared library that holds this code.
fs::path own_folder() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&own_folder), &info) == 0 || info.dli_fname == nullptr) return {};
  const fs::path file(info.dli_fname);
  if (file.has_parent_path()) return fs::absolute(file).parent_path();
  std::error_code ignored;  // an executable found through PATH is known by its bare name
  return fs::read_symlink("/proc/self/exe", ignored).parent_path();
}

std::vector<fs::path> candidates() {
  return {own_folder() / kFileName, torch_folder().parent_path().parent_path() / "neutone_sdk" / kFileName};
}

struct Loaded {
  std::mutex mutex;
  fs::path library;  // empty: none
};

Loaded& loaded() {
  static Loaded state;
  return state;
}

fs::path existing_file(const fs::path& library) {
  std::error_code error;
  const fs::path canonical = fs::canonical(library, error);
  if (error || !fs::is_regular_file(canonical, error)) {
    throw LoadError("there is no operator library at " + library.string() +
                    "; it is libneutone_ops in the Python package neutone_sdk, whose function ops_library_path() says "
                    "where (pip install neutone_sdk)");
  }
  return canonical;
}

void open_library(const fs::path& library) {
  // Never closed: torch keeps pointers to what it has registered.
  if (dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL) == nullptr) {
    const char* reason = dlerror();  // NOLINT(concurrency-mt-unsafe): it is per thread
    throw LoadError("cannot load the operator library " + library.string() + ": " +
                    (reason != nullptr ? reason : "unknown") +
                    "; it has to be one for this machine, beside a torch of version 2.10 or newer");
  }
  if (operators_version().empty()) {
    throw LoadError(library.string() + " is no library of neutone operators: it has registered none");
  }
}

}  // namespace

fs::path find_operators() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): whoever changes the environment while models load is beyond help
  if (const char* given = std::getenv(kVariable); given != nullptr && *given != '\0') return given;
  std::string tried;
  for (const fs::path& candidate : candidates()) {
    std::error_code ignored;
    if (fs::is_regular_file(candidate, ignored)) return candidate;
    tried += "\n  " + candidate.string();
  }
  throw LoadError(std::string("the neutone operators, which native models need, are not here. Looked for") + tried +
                  "\nPut " + kFileName +
                  " of the Python package neutone_sdk beside the program or plugin, or its path into " + kVariable +
                  ".");
}

void load_operators(const fs::path& library) {
  const fs::path file = existing_file(library);
  Loaded& state = loaded();
  const std::scoped_lock lock(state.mutex);
  if (state.library == file) return;
  if (!state.library.empty()) {
    throw LoadError("the neutone operators are loaded already, from " + state.library.string() +
                    "; a process can have them from one place only, and " + file.string() + " is another");
  }
  if (operators_version().empty()) open_library(file);
  state.library = file;
}

}  // namespace neutone::host
