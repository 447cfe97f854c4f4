// LV2's entry point. DPF's, which CMake calls dpf_lv2_descriptor, has the URI of the example built in.
#include "identity.h"
#include "src/lv2/lv2.h"

extern "C" {

const LV2_Descriptor* dpf_lv2_descriptor(uint32_t index);

LV2_SYMBOL_EXPORT const LV2_Descriptor* lv2_descriptor(uint32_t index) {
  if (index != 0) return nullptr;
  static const LV2_Descriptor descriptor = [] {
    LV2_Descriptor ours = *dpf_lv2_descriptor(0);
    ours.URI = neutone::example::identity().lv2_uri.c_str();
    return ours;
  }();
  return &descriptor;
}

}  // extern "C"
