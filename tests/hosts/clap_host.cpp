// A host of CLAP plugins without a sound card: feeds a plugin from a file of floats, in blocks that change in every
// callback, and says as one line of JSON what the plugin reported. Exits with 1 and a message where a host would give
// up.
//
//   clap_host PLUGIN.clap IN OUT [option value]...
//     IN, OUT       raw float32, one channel after the other; as long as each other
//     --rate        in Hz; 48000
//     --channels    2
//     --blocks      frames of the callbacks, again and again, with commas: 0 too; 64
//     --set         control=value, before the plugin is activated; more than once
//     --at          frame:control=value, from the callback on that begins there or after; more than once
//     --load-at     frame:FILE, a state; 0: before the plugin is activated
//     --save        FILE, for the state at the end
//     --instances   of the plugin, which all get the same; 1
//     --rounds      of loading the library, playing everything and unloading it; 1
//     --in-place    1: one buffer for input and output
//     --realtime    1: wait for each callback until it is due
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "clap_instance.h"
#include "clap_library.h"
#include "clap_options.h"
#include "host_files.h"

using namespace neutone::test;  // NOLINT(google-build-using-namespace): all of it is for such programs

namespace {

Audio read_audio(const Options& options) {
  Audio audio{0, read_samples(options.in)};
  audio.frames = audio.samples.size() / options.channels;
  require(audio.frames * options.channels == audio.samples.size(), options.in + ": not as long in all channels");
  return audio;
}

// Plays everything through all instances, and gives what the first one played and said.
std::pair<Audio, std::string> play(const Options& options, const Audio& in) {
  const Library library(options.plugin);
  std::vector<std::unique_ptr<Instance>> instances;
  std::vector<Audio> outs(options.instances, {in.frames, std::vector<float>(in.samples.size())});
  for (std::size_t i = 0; i < options.instances; ++i) {
    instances.push_back(std::make_unique<Instance>(library, options));
    instances.back()->start();
  }
  const auto begin = std::chrono::steady_clock::now();
  for (std::size_t first = 0, callback = 0; first < in.frames; ++callback) {
    const std::size_t frames =
        std::min<std::size_t>(options.blocks[callback % options.blocks.size()], in.frames - first);
    if (options.is_realtime) {
      const std::chrono::duration<double> due(static_cast<double>(first + frames) / options.sample_rate_hz);
      std::this_thread::sleep_until(begin + due);
    }
    for (std::size_t i = 0; i < options.instances; ++i) {
      instances[i]->play(in, outs[i], first, static_cast<std::uint32_t>(frames));
    }
    first += frames;
  }
  for (const auto& instance : instances) instance->stop();
  for (const Audio& out : outs) require(out.samples == outs[0].samples, "the instances differ");
  if (!options.save.empty()) instances[0]->save_state(options.save);
  return {outs[0], instances[0]->report()};
}

// Memory of this process, as the system counts it.
std::int64_t resident_kib() {
  constexpr std::int64_t kPageKib = 4;
  std::ifstream file("/proc/self/statm");
  std::int64_t pages = 0;
  file >> pages >> pages;
  return pages * kPageKib;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Options options = parse_options({argv + 1, argv + argc});
    const Audio in = read_audio(options);
    const auto [first_out, report] = play(options, in);
    std::string resident = std::to_string(resident_kib());
    for (std::size_t round = 1; round < options.rounds; ++round) {
      require(play(options, in).first.samples == first_out.samples, "another round, another output");
      resident += ", " + std::to_string(resident_kib());
    }
    write_samples(options.out, first_out.samples);
    std::printf(R"({"resident_kib": [%s], %s)"
                "\n",
                resident.c_str(), report.c_str());
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "clap_host: %s\n", error.what());
    return 1;
  }
}
