// The whole wrapper in a C++ program: a callback of a stereo pass-through with four knobs, model at 48 kHz in blocks of
// 2048, loaded from the files that benchmarks/scripts.py writes.

#include <unistd.h>

#include <cstddef>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "allocation_counter.h"
#include "script.h"
#include "suite.h"

namespace neutone::bench {
namespace {

constexpr std::size_t kChannels = 2;
constexpr std::size_t kFrames = 512;
constexpr std::size_t kKnobs = 4;
constexpr std::size_t kRateHz = 48'000;
constexpr const char* kReference = "neutone_sdk==1.5.2/wrapper.pt";

class Player {
 public:
  Player(const std::string& path, std::size_t host_hz, std::size_t frames) : script_(path) {
    script_.set_host(host_hz, frames);
    script_.make_block(kChannels, frames, kKnobs);
    for (int i = 0; i < 100; ++i) pass();  // until the compiler has settled
  }
  void pass() { script_.forward(); }
  [[nodiscard]] std::size_t tensor_bytes() const { return script_.tensor_bytes(); }

 private:
  Script script_;
};

// Of one callback, in the mean over as many as meet each block of the model equally often.
double count_heap_calls(Player& player) {
  constexpr std::size_t kCallbacks = 320;
  const std::size_t calls = test::count_heap_calls([&player] {
    for (std::size_t i = 0; i < kCallbacks; ++i) player.pass();
  });
  return static_cast<double>(calls) / static_cast<double>(kCallbacks);
}

void add_player(const std::string& group, const std::string& contender, const std::string& file, std::size_t host_hz,
                std::size_t frames) {
  const std::string path = script_path(file);
  if (path.empty()) return;
  add_case(group, contender,
           [=, player = std::shared_ptr<Player>(), heap_calls = 0.0](::benchmark::State& state) mutable {
             if (!player) {
               player = std::make_shared<Player>(path, host_hz, frames);
               heap_calls = count_heap_calls(*player);
             }
             for ([[maybe_unused]] const auto _ : state) player->pass();
             state.counters["heap_calls"] = heap_calls;
           });
}

double resident_bytes() {
  std::size_t total_pages = 0;
  std::size_t resident_pages = 0;
  std::ifstream("/proc/self/statm") >> total_pages >> resident_pages;  // 0 where there is no such file
  return static_cast<double>(resident_pages) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

// Players of one file, of which as many as wanted play in turn.
class Players {
 public:
  Players(const std::string& path, std::size_t count) {
    const Player first(path, kRateHz, kFrames);  // what all share is loaded before anything is weighed
    const double before = resident_bytes();
    for (std::size_t i = 0; i < count; ++i) players_.push_back(std::make_unique<Player>(path, kRateHz, kFrames));
    resident_bytes_ = (resident_bytes() - before) / static_cast<double>(count);
  }
  void measure(::benchmark::State& state, std::size_t count) const {
    for ([[maybe_unused]] const auto _ : state) {
      for (std::size_t i = 0; i < count; ++i) players_[i]->pass();
    }
    state.counters["resident_bytes"] = resident_bytes_;
    state.counters["tensor_bytes"] = static_cast<double>(players_[0]->tensor_bytes());
  }

 private:
  std::vector<std::unique_ptr<Player>> players_;
  double resident_bytes_ = 0.0;
};

void add_players(const std::string& group, const std::string& file, const std::vector<std::size_t>& counts) {
  const std::string path = script_path(file);
  if (path.empty()) return;
  const auto players = std::make_shared<std::unique_ptr<Players>>();
  for (const std::size_t count : counts) {
    add_case(group, std::to_string(count), [=, most = counts.back()](::benchmark::State& state) {
      if (!*players) *players = std::make_unique<Players>(path, most);
      (*players)->measure(state, count);
    });
  }
}

void add_scaling() {
  const std::string file = "neutone/4 knobs/model.nm";
  for (const std::size_t frames : {64U, 128U, 256U, 512U, 1024U, 2048U, 4096U}) {
    add_player("scaling/wrapper by frames", std::to_string(frames), file, kRateHz, frames);
    add_player("scaling/wrapper, 44.1 kHz, by frames", std::to_string(frames), file, 44'100, frames);
  }
  for (const std::size_t host_hz : {22'050U, 44'100U, 88'200U, 96'000U, 176'400U, 192'000U}) {
    add_player("scaling/wrapper, 10 ms, by rate", std::to_string(host_hz), file, host_hz, host_hz / 100U);
  }
  for (const char* const knobs : {"0", "1", "2", "3", "4"}) {
    add_player("scaling/wrapper by knobs", knobs, std::string("neutone/") + knobs + " knobs/model.nm", kRateHz,
               kFrames);
  }
  add_players("scaling/wrapper by instances", file, {1, 2, 4, 8, 16});
  add_players("scaling/wrapper of neutone_sdk 1.5.2 by instances", kReference, {1, 2, 4});
}

}  // namespace

void add_cases() {
  note("torch", torch_version());
  if (script_path(kReference).empty()) note_missing("neutone_sdk==1.5.2", "none, but PyPI has it");
  for (const std::size_t host_hz : {kRateHz, std::size_t{44'100}}) {
    for (const std::size_t frames : {64U, 512U, 2048U}) {
      const std::string group = "wrapper/" + std::to_string(host_hz) + " Hz, " + std::to_string(frames) + " frames";
      add_player(group, "neutone", "neutone/4 knobs/model.nm", host_hz, frames);
      add_player(group, "neutone portable", "neutone/portable/model.nm", host_hz, frames);
      add_player(group, "neutone_sdk 1.5.2", kReference, host_hz, frames);
      add_player(group, "empty scripted call", "neutone/empty call.pt", host_hz, frames);
    }
  }
  add_scaling();
}

}  // namespace neutone::bench
