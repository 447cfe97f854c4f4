#!/bin/sh
# Unpacks what the plugins in the wheel are made of into a folder, on any Linux and without its packages: DPF and
# nlohmann_json, Debian's files. fetch_plugin_sources.sh FOLDER
set -eu
mirror=https://deb.debian.org/debian/pool/main
fetch() { # path in the archive, SHA-256
  curl --silent --show-error --fail --retry 3 --output package.deb "$mirror/$1"
  echo "$2  package.deb" | sha256sum --check --quiet
  ar x package.deb
  tar -xf data.tar.*
  rm package.deb debian-binary control.tar.* data.tar.*
}
[ ! -e "$1/.ready" ] || exit 0
mkdir -p "$1"
cd "$1"
fetch d/dpf-plugins/dpf-source_1.6+ds-2_all.deb 8a7c02ffa823d2d008843c543291b8cc8911a440f413c34048d2ac49594d4738
fetch n/nlohmann-json3/nlohmann-json3-dev_3.11.2-2_all.deb ec57940def6b6186c30be0e0ee81d1e58f86d11a54a145b28686a1e3e4aae801
touch .ready
