#!/bin/sh
# Makes sure that there is what the plugins are built with (DPF) and played by (hosts of LV2, JACK): Debian's packages, if
# we may install them. Other hosts come from PyPI: see tests/hosts/requirements.txt.
set -eu
. "$(dirname "$0")/apt_install.sh"
missing() {
  [ -e "${DPF:-/usr/share/dpf}/distrho/DistrhoPluginMain.cpp" ] || echo dpf-source
  command -v lv2apply >/dev/null || echo lilv-utils
  command -v jalv >/dev/null || echo jalv
  command -v jackd >/dev/null || echo jackd2
  [ -e /usr/include/jack/jack.h ] || echo libjack-jackd2-dev
}
[ -n "$(missing)" ] || exit 0
apt_install $(missing)
[ -n "$(missing)" ] || exit 0
echo "The tests of the plugins lack: sudo apt-get install" $(missing) >&2
exit 1
