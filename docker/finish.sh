#!/bin/sh
# What every image's tree gets at last: its bill of materials, the licences of what is in it, and one time for all files.
# finish.sh WORKSPACE ARCHITECTURE OUT. Runs in the build.
set -eu
workspace=$1
arch=$2
out=$3
cd /src
mkdir -p "$out/usr/share/sbom"
npm sbom --sbom-format=spdx --omit=dev --package-lock-only --workspace="$workspace" >/tmp/npm.spdx.json
node docker/materials.ts /tmp/npm.spdx.json "$workspace" "$arch" "$out/usr/share/sbom"
# Read by all, written by none: an owner's umask on the builder must not decide.
chmod -R u=rwX,go=rX "$out"
find "$out" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
