// A plugin that does nothing, or in calls that have an instance what an audio thread must not do: for lv2_watch.cpp to
// count.
#include <cstdint>
#include <cstdlib>
#include <mutex>

#include "lv2_descriptor.h"

namespace {

void run(void* instance, std::uint32_t frames) {
  static std::mutex mutex;
  static void* volatile memory = nullptr;
  if (instance == nullptr) return;
  const std::scoped_lock lock(mutex);
  memory = std::malloc(frames);
  std::free(memory);
}

}  // namespace

extern "C" [[gnu::visibility("default")]] const neutone::test::Lv2Descriptor* lv2_descriptor(std::uint32_t index) {
  static const neutone::test::Lv2Descriptor kDescriptor{"urn:neutone:planted", {}, run, {}};
  return index == 0 ? &kDescriptor : nullptr;
}
