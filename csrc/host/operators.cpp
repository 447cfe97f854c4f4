#include "operators.h"

#include <cstdlib>
#include <mutex>
#include <string>
#include <system_error>
#include <vector>

#include "errors.h"
#include "own_folder.h"
#include "shared_library.h"
#include "torch_place.h"

namespace neutone::host {
namespace {

namespace fs = std::filesystem;

constexpr const char* kVariable = "NEUTONE_OPS_LIBRARY";

std::vector<fs::path> candidates() {
  const std::string name = library_file_name("neutone_ops");
  return {own_folder() / name, torch_folder().parent_path().parent_path() / "neutone_sdk" / name};
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
  if (const std::string reason = load_shared_library(library); !reason.empty()) {
    throw LoadError("cannot load the operator library " + library.string() + ": " + reason +
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
                  "\nPut " + library_file_name("neutone_ops") +
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
