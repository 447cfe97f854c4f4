// neutone-host: plays .nm files without Python.
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <map>
#include <string>

#include "host/command/commands.h"
#include "host/model.h"

namespace {

using neutone::engine::LatencyMode;
using namespace neutone::host;  // NOLINT(google-build-using-namespace): the file is the command

const std::map<std::string, LatencyMode>& modes() {
  static const std::map<std::string, LatencyMode> names{{"two-blocks", LatencyMode::kTwoBlocks},
                                                        {"one-block", LatencyMode::kOneBlock},
                                                        {"blocking", LatencyMode::kBlocking}};
  return names;
}

void add_mode(CLI::App& command, LatencyMode& mode, const std::string& default_name) {
  command
      .add_option("--mode", mode,
                  "How long the worker may take for a block: two-blocks (as long as it lasts), one-block (until the "
                  "next callback), blocking (as long as it takes) [" +
                      default_name + "]")
      ->transform(CLI::CheckedTransformer(modes()).description("MODE"));
}

void add_info(CLI::App& app, InfoOptions& options) {
  CLI::App* command = app.add_subcommand("info", "Show what a model says of itself; nothing in the file is run");
  command->add_option("FILE", options.model, "A .nm file")->required();
  command->add_flag("--json", options.as_json, "Print the metadata as JSON");
  command->callback([&options] { print_info(options); });
}

void add_render(CLI::App& app, RenderOptions& options) {
  CLI::App* command = app.add_subcommand(
      "render", "Play an audio file through a model as a host does, with the latency taken out, and write a WAV");
  command->add_option("FILE", options.model, "A .nm file")->required();
  command->add_option("IN", options.source, "Audio of any format that libsndfile reads, mono or stereo")->required();
  command->add_option("OUT", options.target, "The WAV to write, in 32-bit floats")->required();
  command->add_option("--param", options.params, "NAME=VALUE: set a knob, in its own unit; may be repeated")
      ->type_size(1)
      ->allow_extra_args(false);
  command
      ->add_option("--sample-rate", options.sample_rate_hz,
                   "Rate of the host in Hz; IN is resampled to it, OUT has it [that of IN]")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{768'000}));
  command->add_option("--buffer-size", options.buffer_frames, "Samples a callback [512]")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1} << 24U));
  command->add_option("--channels", options.channels, "Play IN as mono (1) or stereo (2) [as it is]")
      ->check(CLI::Range(std::size_t{1}, std::size_t{2}));
  add_mode(*command, options.mode, "blocking; the others play in real time");
  command->callback([&options] { render(options); });
}

void add_soak(CLI::App& app, SoakOptions& options, bool& all_in_time) {
  CLI::App* command = app.add_subcommand(
      "soak", "Play noise in real time and say whether all of it came back in time; if not, the exit code is 1");
  command->add_option("FILE", options.model, "A .nm file")->required();
  command->add_option("--seconds", options.seconds, "How long [10]")->check(CLI::Range(0.01, 1e6));
  command->add_option("--sample-rate", options.sample_rate_hz, "Rate of the host in Hz [48000]")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{768'000}));
  command->add_option("--buffer-size", options.buffer_frames, "Samples a callback [512]")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1} << 24U));
  command->add_option("--instances", options.instances, "Models that one callback plays in turn [1]")
      ->check(CLI::Range(std::size_t{1}, std::size_t{256}));
  command->add_option("--threads", options.threads, "Threads that all instances share for their models [1]")
      ->check(CLI::Range(std::size_t{1}, std::size_t{256}));
  add_mode(*command, options.mode, "two-blocks");
  command->callback([&options, &all_in_time] { all_in_time = soak(options); });
}

}  // namespace

int main(int argc, const char* const* argv) try {
  CLI::App app("Play .nm files without Python, as a plugin does.", "neutone-host");
  app.set_version_flag("--version", std::string(NEUTONE_VERSION) + ", torch " + torch_version());
  app.require_subcommand(1);
  InfoOptions info_options;
  RenderOptions render_options;
  SoakOptions soak_options;
  bool all_in_time = true;
  add_info(app, info_options);
  add_render(app, render_options);
  add_soak(app, soak_options, all_in_time);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? EXIT_SUCCESS : 2;
  }
  return all_in_time ? EXIT_SUCCESS : EXIT_FAILURE;
} catch (const std::exception& error) {
  std::cerr << "neutone-host: " << printable(error.what()) << "\n";
  return EXIT_FAILURE;
}
