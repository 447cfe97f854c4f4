#pragma once

#include <string>
#include <string_view>

namespace neutone::host {

// Of what torch says, the first line. [any thread]
[[nodiscard]] std::string first_line(std::string_view text);

// Of a traceback through a model, what the model itself says: the last line, without the class of the exception.
[[nodiscard]] std::string last_message(std::string_view text);

// The operator that torch does not know, if it says so: `Unknown builtin op: aten::name.`; empty otherwise.
[[nodiscard]] std::string unknown_operator(std::string_view text);

// Whether one version is newer than another in its first two numbers; the third changes nothing that files depend on.
[[nodiscard]] bool is_newer_release(std::string_view version, std::string_view than);

}  // namespace neutone::host
