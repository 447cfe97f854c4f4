#!/bin/sh
# Makes sure that there is what `make test-platforms` compiles for other machines with, and runs it on.
set -eu
cd "$(dirname "$0")/.."
. tools/apt_install.sh
is_there() {
  command -v aarch64-linux-gnu-g++ && command -v qemu-aarch64-static && command -v x86_64-w64-mingw32-g++-posix &&
    test -x /usr/lib/wine/wine64
} >/dev/null
is_there || apt_install g++-aarch64-linux-gnu qemu-user-static g++-mingw-w64-x86-64-posix wine64
is_there && exit 0
echo "make test-platforms compiles for ARM and Windows, and runs it with QEMU and Wine: install them (Debian:" >&2
echo "sudo apt-get install g++-aarch64-linux-gnu qemu-user-static g++-mingw-w64-x86-64-posix wine64)." >&2
exit 1
