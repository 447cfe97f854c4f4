#!/bin/sh
# Makes sure that there is a Chromium for tests/test_card_in_browser.py: Debian's package, if we may install it.
set -eu
. "$(dirname "$0")/apt_install.sh"
has_chromium() {
  for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable; do
    if [ -n "$name" ] && command -v "$name" >/dev/null; then return 0; fi
  done
  return 1
}
has_chromium && exit 0
apt_install chromium
has_chromium && exit 0
echo "The tests of the card need Chromium or Chrome. Install it (Debian: sudo apt-get install chromium)," >&2
echo "or put its path into the variable CHROMIUM." >&2
exit 1
