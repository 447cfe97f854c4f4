#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>

// A suite is an executable: its file defines `add_cases`, main.cpp does the rest. Cases are named
// group/contender; those of a group take turns and are compared with each other.
namespace neutone::bench {

// Called once, before anything is measured. Defined by each suite.
void add_cases();

// How often all cases of a group have had their turn.
[[nodiscard]] std::size_t current_round() noexcept;

// Writes a line of context, such as the instruction set, into the output.
void note(const std::string& key, const std::string& value);

// Names a reference that the build has not found.
void note_missing(const std::string& library, const std::string& debian_package);

// `body` is called with a state each time that the case has its turn: once or several times a round. Its time is that
// of the processor in the calling thread, so that other processes do not count, unless UseRealTime says otherwise.
::benchmark::internal::Benchmark* add_case(const std::string& group, const std::string& contender,
                                           const std::function<void(::benchmark::State&)>& body);

// The time of one iteration is shared out to `n` items, for example to frames and channels.
inline void count_items(::benchmark::State& state, double n) { state.counters["items"] = n; }

// A case with a state, which `make` returns a pointer to. It is made at the first turn and stays: filters remember, and
// designing some takes longer than a turn. Its `pass()` is what is measured.
template <typename Make>
void add_stateful_case(const std::string& group, const std::string& contender, double items, const Make& make) {
  using Pointer = decltype(make());
  add_case(group, contender, [items, make, subject = std::make_shared<Pointer>()](::benchmark::State& state) {
    if (!*subject) *subject = make();
    for ([[maybe_unused]] const auto _ : state) (*subject)->pass();
    count_items(state, items);
  });
}

}  // namespace neutone::bench
