#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>

namespace neutone::dsp {

inline constexpr std::size_t kCacheLineBytes = 64;

// Zeros that begin on a cache line of their own: fewer vector loads cross lines, and nobody else's data lies on the
// lines that go from thread to thread.
template <typename Sample>
class AlignedBuffer {
  static_assert(std::is_trivially_copyable_v<Sample> && kCacheLineBytes % sizeof(Sample) == 0);

 public:
  explicit AlignedBuffer(std::size_t count)
      : memory_(std::make_unique<Sample[]>(count + 2 * kLine)), data_(line_start(memory_.get())) {}

  [[nodiscard]] Sample* data() const noexcept { return data_; }

 private:
  static constexpr std::size_t kLine = kCacheLineBytes / sizeof(Sample);

  static Sample* line_start(Sample* samples) noexcept {
    const std::size_t past_line = reinterpret_cast<std::uintptr_t>(samples) % kCacheLineBytes;
    return samples + (past_line == 0 ? 0 : (kCacheLineBytes - past_line) / sizeof(Sample));
  }

  std::unique_ptr<Sample[]> memory_;
  Sample* data_;
};

}  // namespace neutone::dsp
