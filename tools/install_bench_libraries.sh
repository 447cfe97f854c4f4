#!/bin/sh
# Makes sure that there is Google Benchmark, and what our code is compared with: Debian's packages, if we may install
# them. Only the first is necessary: benchmarks name other libraries that are missing, and go on.
set -eu
. "$(dirname "$0")/apt_install.sh"
missing() {
  for package in libbenchmark-dev libboost-dev libsoxr-dev libsamplerate0-dev libzita-resampler-dev libspeexdsp-dev; do
    dpkg -s "$package" >/dev/null 2>&1 || echo "$package"
  done
}
if ! command -v dpkg >/dev/null; then
  echo "This is not Debian: the benchmarks need Google Benchmark, and name what else they do not find." >&2
  exit 0
fi
[ -z "$(missing)" ] || apt_install $(missing)
if [ -n "$(missing)" ]; then
  echo "Missing for the benchmarks: sudo apt-get install" $(missing) >&2
fi
case "$(missing)" in *libbenchmark-dev*) exit 1 ;; esac
