// Mono and stereo made to fit each other: a block of 512 frames, beside the copy that there has to be.

#include "dsp/channels.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>

#include "blocks.h"
#include "suite.h"

namespace neutone::bench {
namespace {

class Fit {
 public:
  Fit(std::size_t in, std::size_t out) : in_(in), out_(out) {}
  void pass() {
    dsp::fit_channels<float>(block_.in().slice_channels(0, in_), block_.out().slice_channels(0, out_));
    ::benchmark::ClobberMemory();
  }

 private:
  Block block_;
  std::size_t in_;
  std::size_t out_;
};

// Copies as many channels as the larger side has.
class Memcpy {
 public:
  explicit Memcpy(std::size_t channels) : bytes_(channels * kFrames * sizeof(float)) {}
  void pass() {
    std::memcpy(block_.out().data, block_.in().data, bytes_);
    ::benchmark::ClobberMemory();
  }

 private:
  Block block_;
  volatile std::size_t bytes_;  // no constant: the compiler would replace the library's memcpy
};

}  // namespace

void add_cases() {
  const auto add = [](const char* group, std::size_t in, std::size_t out) {
    add_stateful_case(group, "neutone", 1.0, [=] { return std::make_unique<Fit>(in, out); });
    add_stateful_case(group, "memcpy", 1.0, [=] { return std::make_unique<Memcpy>(std::max(in, out)); });
  };
  add("channels/mono to stereo", 1, 2);
  add("channels/stereo to mono", 2, 1);
  add("channels/stereo to stereo", 2, 2);
}

}  // namespace neutone::bench
