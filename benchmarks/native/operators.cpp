// Operators called from TorchScript in a C++ program: a block of 2 x 512 floats.
//
// The loops stand in benchmarks/scripts.py and benchmarks/sdk_scripts.py, which write the files that are loaded here.

#include <cstddef>
#include <memory>
#include <string>

#include "script.h"
#include "suite.h"

namespace neutone::bench {
namespace {

// So many calls in a loop in the script: what it costs to enter one is not theirs.
class Loop {
 public:
  Loop(const std::string& path, std::size_t calls) : script_(path), calls_(calls) {
    for (int i = 0; i < 5; ++i) pass();  // until the compiler has settled
  }
  void pass() { script_.loop(calls_); }

 private:
  Script script_;
  std::size_t calls_;
};

void add(const std::string& group, const std::string& contender, const std::string& file, std::size_t calls = 100) {
  const std::string path = script_path(file);
  if (path.empty()) return;
  add_stateful_case("operators/" + group, contender, static_cast<double>(calls),
                    [=] { return std::make_unique<Loop>(path, calls); });
}

}  // namespace

void add_cases() {
  note("torch", torch_version());
  if (script_path("neutone_sdk==1.5.2/queue.pt").empty()) note_missing("neutone_sdk==1.5.2", "none, but PyPI has it");
  add("ring, write and read", "neutone", "operators/ring.pt");
  add("ring, write and read", "neutone, queue class", "neutone/queue.pt");
  add("ring, write and read", "two tensor copies", "operators/copies.pt");
  add("ring, write and read", "neutone_sdk 1.5.2, queue class", "neutone_sdk==1.5.2/queue.pt");
  add("4 biquads", "neutone", "operators/biquads.pt");
  add("svf, constant", "neutone", "operators/svf.pt");
  add("IIRFilter", "neutone", "neutone/iir.pt");
  add("IIRFilter", "neutone_sdk 1.5.2", "neutone_sdk==1.5.2/iir.pt", 1);
  add("fir, 257 taps", "neutone", "operators/fir.pt");
  add("fir, 257 taps", "conv1d of torch, without a state", "operators/conv1d.pt");
  add("resampler, 44100 to 48000 Hz", "neutone", "operators/resampler.pt");
}

}  // namespace neutone::bench
