#include "host/own_folder.h"

#include <dlfcn.h>

#include <system_error>

namespace neutone::host {

namespace fs = std::filesystem;

fs::path own_folder() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&own_folder), &info) == 0 || info.dli_fname == nullptr) return {};
  const fs::path file(info.dli_fname);
  if (file.has_parent_path()) return fs::absolute(file).parent_path();
  std::error_code ignored;  // an executable found through PATH is known by its bare name
  return fs::read_symlink("/proc/self/exe", ignored).parent_path();
}

}  // namespace neutone::host
