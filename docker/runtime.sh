#!/bin/sh
# Node of one architecture, the libraries it is linked to, and a user, in a directory: runtime.sh ARCHITECTURE OUT. Runs in the build.
# The libraries come from Debian's packages, verified by apt and unpacked by hand: nothing of the other architecture is ever run.
set -eu
arch=$1
out=$2
case $arch in
amd64) triplet=x86_64-linux-gnu cpu=x64 loader=lib64/ld-linux-x86-64.so.2 ;;
arm64) triplet=aarch64-linux-gnu cpu=arm64 loader=lib/ld-linux-aarch64.so.1 ;;
*) echo "there is no image for $arch" >&2 && exit 1 ;;
esac

if [ "$(dpkg --print-architecture)" != "$arch" ]; then
  dpkg --add-architecture "$arch"
  apt-get update -q
fi
work=$(mktemp -d)
cd "$work"
mkdir -p "$out/usr/local/bin" /packages "$out/var/lib/dpkg/status.d" "$out/etc"
take() { # Root's sandbox for downloads is not there in every build.
  apt-get download -q -o APT::Sandbox::User=root "$1:$arch"
  dpkg-deb -x "$1"_*.deb tree
}
for package in libc6 libgcc-s1 libstdc++6 libatomic1; do
  take "$package"
  # Where scanners look for what a distroless image holds.
  dpkg-deb -f "$package"_*.deb >"$out/var/lib/dpkg/status.d/$package"
  dpkg-deb -f "$package"_*.deb Version >"/packages/$package"
done
# GCC's libraries keep their licence in a package of its own, named after its version.
take "$(dpkg-deb -f libgcc-s1_*.deb Depends | grep -o 'gcc-[0-9]*-base')"
for package in /packages/*; do
  mkdir -p "$out/usr/share/doc/$(basename "$package")"
  cp -L "tree/usr/share/doc/$(basename "$package")/copyright" "$out/usr/share/doc/$(basename "$package")/"
done

# Symbols for a debugger are a fifth of Node.
strip -o "$out/usr/local/bin/node" "/src/node_modules/node-linux-$cpu/bin/node"
cp "/src/node_modules/node-linux-$cpu/LICENSE" "$out/usr/share/doc/node-LICENSE"
mkdir -p "$out/lib/$triplet" "$out/$(dirname "$loader")"
cp -L "tree/$loader" "$out/$loader" 2>/dev/null || cp -L "tree/lib/$triplet/$(basename "$loader")" "$out/$loader"
# What Node needs, what that needs, and so on.
needs() { readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'; }
todo=$(needs "$out/usr/local/bin/node")
while [ -n "$todo" ]; do
  found=
  for library in $todo; do
    [ "$library" = "$(basename "$loader")" ] || [ -e "$out/lib/$triplet/$library" ] && continue
    for directory in "tree/lib/$triplet" "tree/usr/lib/$triplet"; do
      [ -e "$directory/$library" ] && cp -L "$directory/$library" "$out/lib/$triplet/"
    done
    [ -e "$out/lib/$triplet/$library" ] || { echo "no package holds $library" >&2 && exit 1; }
    found="$found $(needs "$out/lib/$triplet/$library")"
  done
  todo=$found
done

printf 'root:x:0:0:root:/:/sbin/nologin\ncontext-edge:x:10001:10001:Context Edge:/app:/sbin/nologin\n' >"$out/etc/passwd"
printf 'root:x:0:\ncontext-edge:x:10001:\n' >"$out/etc/group"
echo 'hosts: files dns' >"$out/etc/nsswitch.conf"
cp -L /etc/os-release "$out/etc/os-release"
mkdir -m 1777 "$out/tmp"
# Where volumes go: a volume that is new takes over owner and mode.
mkdir -p "$out/app" "$out/var/lib/context-edge" "$out/opt/context-edge/models" "$out/opt/context-edge/requests"
chown 10001:10001 "$out/var/lib/context-edge" "$out/opt/context-edge/models" "$out/opt/context-edge/requests"
chmod 700 "$out/var/lib/context-edge"
find "$out" -exec touch -h -d "@0" {} +
