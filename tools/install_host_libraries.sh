#!/bin/sh
# Makes sure that there is what csrc/host is built with: Debian's packages, if we may install them.
set -eu
. "$(dirname "$0")/apt_install.sh"
missing() {
  for header in nlohmann/json.hpp:nlohmann-json3-dev CLI/CLI.hpp:libcli11-dev sndfile.h:libsndfile1-dev; do
    printf '#if !__has_include(<%s>)\n#error\n#endif\n' "${header%%:*}" | ${CXX:-c++} -E -x c++ - >/dev/null 2>&1 \
      || echo "${header##*:}"
  done
}
[ -z "$(missing)" ] && exit 0
apt_install $(missing)
[ -z "$(missing)" ] && exit 0
echo "Missing for csrc/host: sudo apt-get install" $(missing) >&2
exit 1
