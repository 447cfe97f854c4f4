#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <functional>
#include <initializer_list>
#include <iostream>
#include <limits>
#include <random>
#include <source_location>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace neutone::test {

// Ends the test that it is thrown in; the others still run.
struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Comparison {
  bool holds;
  std::string values;
};

template <typename Value>
concept Number = std::integral<Value> && !std::same_as<Value, bool> && !std::same_as<Value, char>;

template <typename Value>
std::string show(const Value& value) {
  std::ostringstream text;
  text.precision(std::numeric_limits<long double>::max_digits10);
  text << std::boolalpha << value;
  return text.str();
}

// The left side of a comparison, waiting for its right side. Integers compare by value whatever their signs, so a count
// can stand beside a plain literal.
template <typename Left>
struct Operand {
  const Left& left;

  template <typename Right, typename Relation>
  [[nodiscard]] Comparison compare(const Right& right, std::string_view symbol, Relation relation) const {
    bool holds = false;
    if constexpr (Number<Left> && Number<Right>) {
      holds = relation(static_cast<int>(std::cmp_greater(left, right)), static_cast<int>(std::cmp_less(left, right)));
    } else {
      holds = relation(left, right);
    }
    return {holds, holds ? std::string() : show(left) + " " + std::string(symbol) + " " + show(right)};
  }

  template <typename Right>
  Comparison operator==(const Right& right) const {
    return compare(right, "==", std::equal_to{});
  }
  template <typename Right>
  Comparison operator!=(const Right& right) const {
    return compare(right, "!=", std::not_equal_to{});
  }
  template <typename Right>
  Comparison operator<(const Right& right) const {
    return compare(right, "<", std::less{});
  }
  template <typename Right>
  Comparison operator<=(const Right& right) const {
    return compare(right, "<=", std::less_equal{});
  }
  template <typename Right>
  Comparison operator>(const Right& right) const {
    return compare(right, ">", std::greater{});
  }
  template <typename Right>
  Comparison operator>=(const Right& right) const {
    return compare(right, ">=", std::greater_equal{});
  }
};

// `<<` binds tighter than every comparison and looser than arithmetic: it takes exactly the left side, on purpose.
#ifdef __clang__
#pragma clang diagnostic ignored "-Woverloaded-shift-op-parentheses"
#endif
struct Split {
  template <typename Left>
  Operand<Left> operator<<(const Left& left) const {
    return {left};
  }
};

using Place = std::source_location;

inline void check(const Comparison& comparison, std::string_view expression, const Place& place = Place::current()) {
  if (comparison.holds) return;
  std::ostringstream text;
  text << place.file_name() << ":" << place.line() << ": " << expression << "\n    was " << comparison.values;
  throw Failure(text.str());
}

// A condition without a comparison.
template <typename Condition>
void check(const Operand<Condition>& operand, std::string_view expression, const Place& place = Place::current()) {
  check(Comparison{static_cast<bool>(operand.left), show(operand.left)}, expression, place);
}

// NOLINTNEXTLINE(bugprone-macro-parentheses): in parentheses there would be no left side to take
#define CHECK(expression) ::neutone::test::check(::neutone::test::Split{} << expression, #expression)

// Fails the test unless `action` throws an `Error`.
template <typename Error, typename Action>
void check_throws(const Action& action, const Place& place = Place::current()) {
  bool threw = false;
  try {
    action();
  } catch (const Error&) {
    threw = true;
  }
  check(Comparison{threw, "nothing of the kind"}, "an exception", place);
}

// Fails the test unless `action` throws std::invalid_argument with exactly this message.
template <typename Action>
void check_refused(const Action& action, const std::string& message, const Place& place = Place::current()) {
  std::string got = "nothing";
  try {
    static_cast<void>(action());
  } catch (const std::invalid_argument& error) {
    got = error.what();
  }
  check(Split{} << got == message, "the message", place);
}

// A new seed each run, or the one in the environment variable SEED, to repeat a run that failed.
inline std::uint64_t seed() {
  static const std::uint64_t value = [] {
    const char* given = std::getenv("SEED");  // NOLINT(concurrency-mt-unsafe): nobody writes it
    return given == nullptr ? std::random_device{}() : std::stoull(given);
  }();
  return value;
}

struct Test {
  std::string_view name;
  void (*run)();
};
#define TEST(function) {#function, function}

// True if it passed. What it throws is printed, with the seed.
inline bool run_test(const Test& test) {
  std::string name(test.name);
  for (char& letter : name) letter = letter == '_' ? ' ' : letter;
  try {
    test.run();
    std::cout << "ok      " << name << "\n";
    return true;
  } catch (const std::exception& error) {
    std::cout << "FAILED  " << name << "\n" << error.what() << "\n    repeat with SEED=" << seed() << "\n";
    return false;
  }
}

// For main to return: 0 if every test passed, else 1.
inline int run_tests(std::initializer_list<Test> tests) {
  std::size_t passed = 0;
  for (const Test& test : tests) passed += run_test(test) ? 1U : 0U;
  std::cout << passed << " passed, " << tests.size() - passed << " failed\n";
  return passed == tests.size() ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace neutone::test
