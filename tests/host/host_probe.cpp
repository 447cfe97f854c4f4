// What tests/test_native_host.py does with neutone::host::Model itself, in a process without Python:
//   host_probe blocks N FILE...       of each plays N blocks, forgets, plays one more; prints what each block said
//   host_probe reload FILE N          opens it, plays it in an engine and closes both, again and again; prints how many
//                                     KiB of memory there are after each round
//   host_probe threads FILE           plays a block of it; prints how many threads the process has then
//   host_probe again FILE             sets it up and plays a block, twice; prints what each block said
//   host_probe format FILE            sets it up; prints each knob's default, and whether it steps
//   host_probe metadata FILE...       reads what each says of itself; prints what was wrong with it
//   host_probe open FILE...           opens each; prints what was wrong with it
//   host_probe choose                 reads lines "rate block is_constant n rates n sizes"; prints what was chosen
//   host_probe operators LIBRARY...   loads one after the other; prints what each said
//   host_probe beside OTHER LIBRARY   loads one where another plugin has loaded its own; prints what that said
//   host_probe after FILE LIBRARY     opens a file, which may load operators, and then a library of them
//   host_probe plant WHAT             for sanitizers: writes past the end (overflow), or forgets memory (leak)
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "dsp/planar.h"
#include "engine/engine.h"
#include "host/format.h"
#include "host/model.h"
#include "host/operators.h"
#include "host/shared_library.h"

namespace {

using neutone::engine::Engine;
using neutone::engine::WorkerPool;
using neutone::host::Model;

// Blocks of audio for a model, in and out.
class Player {
 public:
  explicit Player(Model& model)
      : model_(model),
        format_(model.configure({})),
        audio_(format_.in_channels * format_.block_frames, 0.5F),
        params_(format_.default_params.size() * format_.block_frames, 0.5F),
        out_(format_.out_channels * format_.block_frames) {}

  void play() {
    const std::size_t frames = format_.block_frames;
    const auto stride = static_cast<std::ptrdiff_t>(frames);
    model_.process({audio_.data(), format_.in_channels, frames, stride, 1},
                   {params_.data(), format_.default_params.size(), frames, stride, 1},
                   {out_.data(), format_.out_channels, frames, stride, 1});
  }

  [[nodiscard]] float first() const noexcept { return out_.front(); }

 private:
  Model& model_;
  neutone::engine::ModelFormat format_;
  std::vector<float> audio_;
  std::vector<float> params_;
  std::vector<float> out_;
};

template <typename Action>
void report(const std::string& what, const Action& action) {
  try {
    action();
  } catch (const neutone::host::LoadError& error) {
    std::cout << what << ": LoadError: " << error.what() << "\n";
  } catch (const neutone::host::ModelError& error) {
    std::cout << what << ": ModelError: " << error.what() << "\n";
  }
}

void play_blocks(const std::string& file, int count) {
  Model model(file);
  Player player(model);
  const auto play = [&player](const std::string& what) {
    report(what, [&] {
      player.play();
      std::cout << what << ": " << player.first() << "\n";
    });
  };
  for (int i = 0; i < count; ++i) play("block");
  report("reset", [&model] { model.reset(); });
  play("after reset");
  std::cout << "last error: " << model.last_error() << "\n";
}

// Of this process, as the system counts it.
std::int64_t resident_kib() {
  constexpr std::int64_t kPageKib = 4;
  std::ifstream file("/proc/self/statm");
  std::int64_t pages = 0;
  file >> pages >> pages;
  return pages * kPageKib;
}

void reload(const std::string& file, int count) {
  constexpr std::size_t kFrames = 64;
  const auto workers = std::make_shared<WorkerPool>();
  std::vector<float> audio(2 * kFrames, 0.5F);
  const neutone::dsp::Planar<float> rows{audio.data(), 2, kFrames, kFrames};
  for (int i = 0; i < count; ++i) {
    Engine engine(workers);
    engine.set_model(std::make_shared<Model>(file));
    engine.prepare({.max_block_frames = kFrames}, {.latency_mode = neutone::engine::LatencyMode::kBlocking});
    for (int callback = 0; callback < 3; ++callback) engine.process(rows, {}, rows);
    if (engine.stats().failed_blocks > 0) throw std::runtime_error("the model has failed");
    std::cout << resident_kib() << "\n";
  }
}

void count_threads(const std::string& file) {
  Model model(file);
  Player(model).play();
  const std::filesystem::directory_iterator threads("/proc/self/task");
  std::cout << std::distance(begin(threads), end(threads)) << "\n";
}

void set_up_twice(const std::string& file) {
  Model model(file);
  for (int i = 0; i < 2; ++i) {
    Player player(model);
    player.play();
    std::cout << player.first() << "\n";
  }
}

void print_format(const std::string& file) {
  Model model(file);
  const neutone::engine::ModelFormat format = model.configure({});
  for (std::size_t i = 0; i < format.default_params.size(); ++i) {
    std::cout << format.default_params[i] << (format.are_categorical[i] ? " in steps" : "") << "\n";
  }
}

template <typename Open>
void open_all(std::span<char*> files, const Open& open) {
  for (const std::string file : files) {
    report(file, [&] {
      open(file);
      std::cout << file << ": good\n";
    });
  }
}

std::vector<std::int64_t> read_numbers() {
  std::size_t count = 0;
  std::cin >> count;
  std::vector<std::int64_t> numbers(count);
  for (std::int64_t& number : numbers) std::cin >> number;
  return numbers;
}

void choose_all() {
  neutone::engine::HostFormat host;
  while (std::cin >> host.sample_rate_hz >> host.max_block_frames >> host.has_constant_blocks) {
    const std::vector<std::int64_t> rates_hz = read_numbers();
    const std::vector<std::int64_t> sizes_frames = read_numbers();
    const auto chosen = neutone::host::choose_setting(host, rates_hz, sizes_frames);
    std::cout << chosen.sample_rate_hz << " " << chosen.block_frames << "\n";
  }
}

void load_all(std::span<char*> libraries) {
  for (const std::string library : libraries) {
    report(library, [&library] {
      neutone::host::load_operators(library);
      std::cout << library << ": version " << neutone::host::operators_version() << "\n";
    });
  }
}

void load_beside(const std::string& other, std::span<char*> library) {
  if (const std::string reason = neutone::host::load_shared_library(other); !reason.empty()) {
    throw std::runtime_error(reason);
  }
  load_all(library);
}

void load_after(const std::string& file, std::span<char*> library) {
  const Model model(file);
  load_all(library);
}

void plant(const std::string& what) {
  const auto numbers = std::make_unique<float[]>(8);
  const volatile std::size_t past_the_end = 8;
  if (what == "overflow") numbers[past_the_end] = 1.0F;
  if (what == "leak") new std::vector<float>(8);  // NOLINT(*-owning-memory,bugprone-unused-raii): on purpose
}

}  // namespace

int main(int argc, char** argv) try {
  const std::span<char*> arguments(argv, static_cast<std::size_t>(argc));
  const std::string command = arguments.size() > 1 ? arguments[1] : "";
  if (command == "operators") {
    load_all(arguments.subspan(2));
  } else if (command == "metadata") {
    open_all(arguments.subspan(2),
             [](const std::string& file) { static_cast<void>(neutone::host::read_metadata(file)); });
  } else if (command == "open") {
    open_all(arguments.subspan(2), [](const std::string& file) { Model(file).configure({}); });
  } else if (command == "choose") {
    choose_all();
  } else if (command == "blocks" && arguments.size() > 3) {
    for (const std::string file : arguments.subspan(3)) play_blocks(file, std::stoi(arguments[2]));
  } else if (command == "reload" && arguments.size() == 4) {
    reload(arguments[2], std::stoi(arguments[3]));
  } else if (command == "threads" && arguments.size() == 3) {
    count_threads(arguments[2]);
  } else if (command == "again" && arguments.size() == 3) {
    set_up_twice(arguments[2]);
  } else if (command == "format" && arguments.size() == 3) {
    print_format(arguments[2]);
  } else if (command == "beside" && arguments.size() == 4) {
    load_beside(arguments[2], arguments.subspan(3));
  } else if (command == "after" && arguments.size() == 4) {
    load_after(arguments[2], arguments.subspan(3));
  } else if (command == "plant" && arguments.size() == 3) {
    plant(arguments[2]);
  } else {
    std::cerr << "host_probe: see its source\n";
    return 2;
  }
  return 0;
} catch (const std::exception& error) {
  std::cerr << "host_probe: " << error.what() << "\n";
  return 1;
}
