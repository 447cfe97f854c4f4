#!/bin/sh
# Makes sure that there is valgrind for tests/instructions: Debian's package, if we may install it.
set -eu
[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] || exit 0 # nothing to compare with, as the test says
has_valgrind() { command -v valgrind >/dev/null && [ -e /usr/include/valgrind/callgrind.h ]; }
has_valgrind && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing valgrind"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends valgrind >/dev/null
  has_valgrind && exit 0
fi
echo "The instructions of hot paths are counted with valgrind. Install it (Debian: sudo apt-get install valgrind)." >&2
exit 1
