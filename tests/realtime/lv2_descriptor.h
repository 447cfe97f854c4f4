#pragma once

#include <array>
#include <cstdint>

namespace neutone::test {

// LV2's descriptor of a plugin, as far as the tests need it: of its functions, `run`.
struct Lv2Descriptor {
  const char* uri;
  std::array<void*, 3> before;
  void (*run)(void* instance, std::uint32_t frames);
  std::array<void*, 3> behind;
};
using Lv2DescriptorFunction = const Lv2Descriptor*(std::uint32_t index);
inline constexpr const char* kLv2DescriptorName = "lv2_descriptor";

}  // namespace neutone::test
