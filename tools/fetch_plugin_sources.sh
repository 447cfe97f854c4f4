#!/bin/sh
# Unpacks what the plugins in the wheel are made of, DPF and nlohmann_json, where CMake looks for them, on a Linux without
# Debian's packages: as root, Debian's files. For the containers of cibuildwheel.
set -eu
mirror=https://deb.debian.org/debian/pool/main
cd "$(mktemp -d)"
fetch() { # path in the archive, SHA-256
  curl --silent --show-error --fail --retry 3 --output package.deb "$mirror/$1"
  echo "$2  package.deb" | sha256sum --check --quiet
  ar x package.deb
  tar -C "${DESTDIR:-/}" -xf data.tar.*
  rm package.deb debian-binary control.tar.* data.tar.*
}
fetch d/dpf-plugins/dpf-source_1.6+ds-2_all.deb 8a7c02ffa823d2d008843c543291b8cc8911a440f413c34048d2ac49594d4738
fetch n/nlohmann-json3/nlohmann-json3-dev_3.11.2-2_all.deb ec57940def6b6186c30be0e0ee81d1e58f86d11a54a145b28686a1e3e4aae801
