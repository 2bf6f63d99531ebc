#!/bin/sh
# What every image's tree gets at last: its bill of materials, the licences of what is in it, and one time for all files.
# finish.sh WORKSPACE ARCHITECTURE OUT. Runs in the build.
set -eu
workspace=$1
arch=$2
out=$3
cd /src
mkdir -p "$out/usr/share/sbom"
node docker/materials.ts "$workspace" "$arch" "$out/usr/share/sbom"
# Read by all, written and started by none: neither the builder's umask nor a package decides.
find "$out" -type d -exec chmod 755 {} + -o -type f -exec chmod 644 {} +
find "$out" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
