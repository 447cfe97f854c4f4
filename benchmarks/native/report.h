#pragma once

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <functional>
#include <iomanip>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

namespace neutone::benchmark {

struct Case {
  std::string name;
  std::string baseline;             // the name of the case that this one is compared with
  std::function<double()> measure;  // nanoseconds
  std::vector<double> ns;           // of each round, in order, nothing dropped
};

[[nodiscard]] inline double quantile(std::vector<double> values, double q) {
  const auto nth = values.begin() + static_cast<std::ptrdiff_t>(q * static_cast<double>(values.size() - 1));
  std::ranges::nth_element(values, nth);
  return *nth;
}

// The cases take turns, so that what slows the machine down slows all of them; each round starts with another one.
// `before_round` gets the number of the round.
inline void measure_in_rounds(std::vector<Case>& cases, std::size_t rounds,
                              const std::function<void(std::size_t)>& before_round) {
  for (std::size_t round = 0; round < rounds; ++round) {
    before_round(round);
    for (std::size_t i = 0; i < cases.size(); ++i) {
      Case& next = cases[(round + i) % cases.size()];
      next.ns.push_back(next.measure());
    }
  }
}

// The median of the ratios within a round, whose two times are milliseconds apart.
[[nodiscard]] inline double ratio_to_baseline(const Case& row, const std::vector<Case>& cases) {
  const auto baseline = std::ranges::find(cases, row.baseline, &Case::name);
  if (baseline == cases.end()) throw std::logic_error("no case is named " + row.baseline);
  std::vector<double> ratios(row.ns.size());
  std::ranges::transform(row.ns, baseline->ns, ratios.begin(), std::divides{});
  return quantile(ratios, 0.5);
}

inline void print_table(const std::vector<Case>& cases) {
  std::cout << std::left << std::setw(34) << "" << std::right << std::setw(10) << "median ns" << std::setw(9) << "p10"
            << std::setw(9) << "p90" << std::setw(8) << "ratio" << "  to\n";
  for (const Case& row : cases) {
    std::cout << std::left << std::setw(34) << row.name << std::right << std::fixed << std::setprecision(1)
              << std::setw(10) << quantile(row.ns, 0.5) << std::setw(9) << quantile(row.ns, 0.1) << std::setw(9)
              << quantile(row.ns, 0.9) << std::setprecision(3) << std::setw(8) << ratio_to_baseline(row, cases) << "  "
              << row.baseline << "\n";
  }
}

inline void write_json(const std::vector<Case>& cases, const std::string& path) {
  std::ofstream json(path);
  json << "[";
  for (const Case& row : cases) {
    json << (&row == cases.data() ? "\n" : ",\n") << R"(  {"name": ")" << row.name << R"(", "rounds": )"
         << row.ns.size() << R"(, "median_ns": )" << quantile(row.ns, 0.5) << R"(, "p10_ns": )" << quantile(row.ns, 0.1)
         << R"(, "p90_ns": )" << quantile(row.ns, 0.9) << R"(, "ratio": )" << ratio_to_baseline(row, cases)
         << R"(, "baseline": ")" << row.baseline << R"("})";
  }
  json << "\n]\n";
  if (!json.flush()) throw std::runtime_error("cannot write " + path);
}

}  // namespace neutone::benchmark
