#!/bin/sh
# The hub's packages as it needs them to run: one prebuilt SQLite, and neither types nor sources of C++. hub-modules.sh ARCHITECTURE APP
set -eu
cpu=$(echo "$1" | sed s/amd64/x64/)
app=$2
mkdir -p "$app/node_modules"
cp -a /src/node_modules/. "$app/node_modules/"
cp /src/package.json "$app/"
cd "$app/node_modules"
rm -rf node-linux-* .bin .package-lock.json
find better-sqlite3/prebuilds -type f ! -name "linux-$cpu.node" -delete
rm -rf better-sqlite3/src better-sqlite3/deps better-sqlite3/build node-addon-api @types
# Libraries for another runtime than Node (Bare), for every machine there is: nothing here can load them.
find . -type f -name '*.bare' -delete
find . -type f \( -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.map' -o -name '*.md' \) -delete
for useless in dist-types test tests benchmark benchmarks .github .husky; do rm -rf -- */"$useless" @*/*/"$useless"; done
find . -type d -empty -delete
