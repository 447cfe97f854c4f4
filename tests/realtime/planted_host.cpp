// A host for planted_plugin.cpp: planted_host PLUGIN N M calls it N times as it is and M times to misbehave.
#include <dlfcn.h>

#include <cstdlib>
#include <string>

#include "lv2_descriptor.h"

int main(int argc, char** argv) {  // NOLINT(misc-const-correctness): as the language has it
  if (argc != 4) return EXIT_FAILURE;
  void* const library = dlopen(argv[1], RTLD_NOW);  // NOLINT(clang-analyzer-optin.taint.GenericTaint)
  if (library == nullptr) return EXIT_FAILURE;
  void* const found = dlsym(library, neutone::test::kLv2DescriptorName);
  const auto* const plugin = reinterpret_cast<neutone::test::Lv2DescriptorFunction*>(found)(0);
  int instance = 0;
  for (int i = 0; i < std::stoi(argv[2]); ++i) plugin->run(nullptr, 64);
  for (int i = 0; i < std::stoi(argv[3]); ++i) plugin->run(&instance, 64);
  return EXIT_SUCCESS;
}
