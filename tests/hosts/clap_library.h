#pragma once

#include <dlfcn.h>

#include <string>

#include "clap/entry.h"
#include "clap/plugin-factory.h"
#include "host_files.h"

namespace neutone::test {

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

}  // namespace neutone::test
