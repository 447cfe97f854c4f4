#!/bin/sh
# Makes sure that there is a Chromium for tests/test_card_in_browser.py: Debian's package, if we may install it.
set -eu
for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable; do
  if [ -n "$name" ] && command -v "$name" >/dev/null; then exit 0; fi
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing chromium"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null
  command -v chromium >/dev/null && exit 0
fi
echo "The tests of the card need Chromium or Chrome. Install it (Debian: sudo apt-get install chromium)," >&2
echo "or put its path into the variable CHROMIUM." >&2
exit 1
