// Runs a suite in rounds and prints Google Benchmark's JSON. Usage: SUITE [--rounds=N] [--benchmark_...]
//
// In each round all cases of a group have a turn of a few milliseconds, in random order, so that what slows the machine
// down slows all of them: `repetition_index` is the round, and the ratio of two cases is the median of the ratios
// within rounds. Google Benchmark's own repetitions scatter the turns over the whole run, where the two sides of a
// ratio are seconds apart.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <regex>
#include <stdexcept>
#include <string>
#include <vector>

#include "suite.h"
#include "threads.h"

namespace neutone::bench {
namespace {

constexpr std::size_t kDefaultRounds = 51;
std::size_t round = 0;            // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
std::vector<std::string> groups;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
std::string missing;              // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

// One JSON document for many runs.
class RoundsReporter : public ::benchmark::JSONReporter {
 public:
  bool ReportContext(const Context& context) override {
    if (has_context_) return true;
    has_context_ = true;
    return JSONReporter::ReportContext(context);
  }
  void ReportRuns(const std::vector<Run>& runs) override {
    std::vector<Run> numbered = runs;
    for (Run& run : numbered) {
      if (run.error_occurred) throw std::runtime_error(run.run_name.str() + ": " + run.error_message);
      run.repetition_index = static_cast<std::int64_t>(round);
    }
    JSONReporter::ReportRuns(numbered);
  }
  void Finalize() override {}
  void finish() { JSONReporter::Finalize(); }

 private:
  bool has_context_ = false;
};

// Takes --rounds=N out of the arguments.
std::size_t take_rounds(std::vector<char*>& arguments) {
  const std::string option = "--rounds=";
  std::size_t rounds = kDefaultRounds;
  std::erase_if(arguments, [&](const std::string& argument) {
    if (!argument.starts_with(option)) return false;
    rounds = std::stoull(argument.substr(option.size()));
    return true;
  });
  if (rounds == 0) throw std::invalid_argument("--rounds must be at least 1");
  return rounds;
}

void run(std::vector<char*> arguments) {
  const std::size_t rounds = take_rounds(arguments);
  std::string interleaving = "--benchmark_enable_random_interleaving=true";
  std::string seconds = "--benchmark_min_time=0.002";  // of a turn: so short that another process seldom falls into one
  arguments.insert(arguments.begin() + 1, {interleaving.data(), seconds.data()});
  auto count = static_cast<int>(arguments.size());
  ::benchmark::Initialize(&count, arguments.data());
  if (::benchmark::ReportUnrecognizedArguments(count, arguments.data())) throw std::invalid_argument("wrong arguments");
  pin_to_core(0);
  add_cases();
#ifdef __clang__
  note("compiler", __VERSION__);
#elif defined(__GNUC__)
  note("compiler", "GCC " __VERSION__);
#endif
  note("rounds", std::to_string(rounds));
  if (!missing.empty()) note("missing", missing);
  const std::regex filter(::benchmark::GetBenchmarkFilter());
  RoundsReporter reporter;
  for (const std::string& group : groups) {
    if (!std::regex_search(group, filter)) continue;
    for (round = 0; round < rounds; ++round) {
      ::benchmark::RunSpecifiedBenchmarks(&reporter,
                                          "^" + group + "/[^/]*(/iterations:[0-9]+)?(/(real|manual)_time)?$");
    }
  }
  reporter.finish();
}

}  // namespace

std::size_t current_round() noexcept { return round; }

void note(const std::string& key, const std::string& value) { ::benchmark::AddCustomContext(key, value); }

void note_missing(const std::string& library, const std::string& debian_package) {
  missing += (missing.empty() ? "" : ", ") + library + " (Debian: " + debian_package + ")";
}

::benchmark::internal::Benchmark* add_case(const std::string& group, const std::string& contender,
                                           const std::function<void(::benchmark::State&)>& body) {
  if (std::ranges::find(groups, group) == groups.end()) groups.push_back(group);
  return ::benchmark::RegisterBenchmark((group + "/" + contender).c_str(), body);
}

}  // namespace neutone::bench

int main(int argc, char** argv) {
  try {
    neutone::bench::run({argv, argv + argc});
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\nusage: SUITE [--rounds=N] [--benchmark_filter=REGEX OF GROUPS]\n";
    return EXIT_FAILURE;
  }
}
