#include "shared_library.h"

#include <system_error>

#ifdef _WIN32
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <windows.h>

#include <array>
#else
#include <dlfcn.h>
#endif

namespace neutone::host {

namespace fs = std::filesystem;

#ifdef _WIN32

fs::path file_of(const void* function) {
  HMODULE module = nullptr;
  constexpr DWORD kByAddress = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT;
  if (GetModuleHandleExW(kByAddress, static_cast<LPCWSTR>(function), &module) == 0) return {};
  std::array<wchar_t, 32'768> name{};  // the longest that Windows knows
  const DWORD length = GetModuleFileNameW(module, name.data(), static_cast<DWORD>(name.size()));
  return fs::path(name.data(), name.data() + length);
}

std::string load_shared_library(const fs::path& library) {
  // With what lies beside it, and what the process has been told to search.
  constexpr DWORD kWhere = LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR | LOAD_LIBRARY_SEARCH_DEFAULT_DIRS;
  if (LoadLibraryExW(fs::absolute(library).c_str(), nullptr, kWhere) != nullptr) return {};
  return std::system_category().message(static_cast<int>(GetLastError()));
}

std::string library_file_name(const std::string& library) { return library + ".dll"; }

#else

fs::path file_of(const void* function) {
  Dl_info info{};
  if (dladdr(function, &info) == 0 || info.dli_fname == nullptr) return {};
  const fs::path file(info.dli_fname);
  if (file.has_parent_path()) return fs::absolute(file);
  std::error_code ignored;  // an executable found through PATH is known by its bare name
  return fs::read_symlink("/proc/self/exe", ignored);
}

std::string load_shared_library(const fs::path& library) {
  if (dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL) != nullptr) return {};
  const char* reason = dlerror();  // NOLINT(concurrency-mt-unsafe): it is per thread
  return reason != nullptr ? reason : "unknown";
}

std::string library_file_name(const std::string& library) {
#ifdef __APPLE__
  return "lib" + library + ".dylib";
#else
  return "lib" + library + ".so";
#endif
}

#endif

}  // namespace neutone::host
