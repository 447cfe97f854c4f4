#!/bin/sh
# Makes sure that there is valgrind for tests/instructions: Debian's package, if we may install it.
set -eu
. "$(dirname "$0")/apt_install.sh"
[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] || exit 0 # nothing to compare with, as the test says
has_valgrind() { command -v valgrind >/dev/null && [ -e /usr/include/valgrind/callgrind.h ]; }
has_valgrind && exit 0
apt_install valgrind
has_valgrind && exit 0
echo "The instructions of hot paths are counted with valgrind. Install it (Debian: sudo apt-get install valgrind)." >&2
exit 1
