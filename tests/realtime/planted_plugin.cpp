// A plugin that does nothing, or in calls that have an instance what an audio thread must not do: for lv2_watch.cpp to
// count.
#include <cstdint>
#include <mutex>
#include <vector>

#include "lv2_descriptor.h"

namespace {

void run(void* instance, std::uint32_t frames) {  // NOLINT(misc-const-correctness): the type of LV2's
  static std::mutex mutex;
  if (instance == nullptr) return;
  const std::scoped_lock lock(mutex);
  const std::vector<float> memory(frames);
  static_cast<void>(*const_cast<const volatile float*>(memory.data()));
}

}  // namespace

extern "C" [[gnu::visibility("default")]] const neutone::test::Lv2Descriptor* lv2_descriptor(std::uint32_t index) {
  static const neutone::test::Lv2Descriptor kDescriptor{"urn:neutone:planted", {}, run, {}};
  return index == 0 ? &kDescriptor : nullptr;
}
