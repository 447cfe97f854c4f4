#include "messages.h"

#include <array>
#include <charconv>
#include <cstddef>
#include <system_error>

namespace neutone::host {
namespace {

std::array<int, 2> release(std::string_view version) {
  std::array<int, 2> numbers{};
  const char* at = version.data();
  const char* const end = at + version.size();
  for (int& number : numbers) {
    const auto [next, error] = std::from_chars(at, end, number);
    if (error != std::errc() || next == end) break;
    at = next + 1;
  }
  return numbers;
}

}  // namespace

std::string first_line(std::string_view text) { return std::string(text.substr(0, text.find('\n'))); }

std::string last_message(std::string_view text) {
  const std::size_t last = text.find_last_not_of(" \n");
  if (last == std::string_view::npos) return "it gave no reason";
  const std::size_t newline = text.rfind('\n', last);
  const std::size_t start = newline == std::string_view::npos ? 0 : newline + 1;
  const std::string_view line = text.substr(start, last + 1 - start);
  const std::size_t colon = line.find(": ");
  const bool begins_with_class = colon != std::string_view::npos && line.find(' ') > colon;
  return std::string(begins_with_class ? line.substr(colon + 2) : line);
}

std::string unknown_operator(std::string_view text) {
  constexpr std::string_view kUnknown = "Unknown builtin op: ";
  const std::size_t at = text.find(kUnknown);
  if (at == std::string_view::npos) return {};
  const std::string_view name = text.substr(at + kUnknown.size());
  return std::string(name.substr(0, name.find_first_of(". \n")));
}

bool is_newer_release(std::string_view version, std::string_view than) { return release(version) > release(than); }

}  // namespace neutone::host
