# What install.sh looks at before it changes anything, and what it says of it. Sourced.

# Where files vanish, or renames and links do not hold. The agent looks again, more closely, whenever it starts.
UNFIT='^(tmpfs|ramfs|devtmpfs|nfs[0-9]*|cifs|smb.*|9p|afs|ceph|glusterfs|vfat|msdos|exfat|ntfs.*|fuse.*)$'

check_machine() {
  model=$(tr -d '\0' 2>/dev/null </proc/device-tree/model || true)
  l4t=$(sed -n '1s/^# *R\([0-9]*\) (release), REVISION: *\([0-9.]*\).*/\1.\2/p' /etc/nv_tegra_release 2>/dev/null || true)
  [ -n "$l4t" ] || l4t=$(dpkg-query -W -f='${Version}' nvidia-l4t-core 2>/dev/null | cut -d- -f1 || true)
  case $model in
    *NVIDIA* | *Jetson*) found "$model, L4T ${l4t:-unknown}" ;;
    *) note "no Jetson (${model:-no device tree}): the agent runs, but finds no GPU telemetry" ;;
  esac
  check_systemd
  check_clock
  check_disk
}

check_systemd() {
  command -v systemctl >/dev/null || fail "there is no systemd" "Use the container image on K3s, or run the agent by hand."
  version=$(systemctl --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p')
  if [ "$version" -lt 245 ]; then
    fail "systemd $version is older than this agent can be run on (JetPack 4: its C library is too old for Node as well)" \
      "Use JetPack 5 or later, or the container image."
  fi
  # LoadCredential= came with 247, SetCredential= with it. Before, the secrets are files that the agent's group may read.
  credentials=yes
  [ "$version" -ge 247 ] || credentials=no
  if [ "$credentials" = yes ]; then found "systemd $version, with credentials"; else found "systemd $version, secrets as files"; fi
  running=yes
  [ -d /run/systemd/system ] || running=no
  if [ "$running" = no ]; then
    start=no
    note "systemd does not run here: everything is enabled, nothing started"
  fi
  [ -e /proc/self/ns/user ] || note "this kernel has no user namespaces: if the agent does not start, see docs/install-jetson.md"
}

# Whether what was unpacked is whole, is for this machine, and runs here.
check_archive() {
  [ -f "$here/VERSION" ] && [ -f "$here/SHA256SUMS" ] ||
    fail "$here is no unpacked archive" "npm run pack:jetson makes one; in a clone only --restart-only works."
  (cd "$here" && sha256sum --check --quiet SHA256SUMS >&2) ||
    fail "the archive is damaged or was changed" "Copy it again and compare its sha256 with the one where it was made."
  release=$(sed -n 's/^id //p' "$here/VERSION")
  printf '%s' "$release" | grep -qxE '[A-Za-z0-9.-]+' || fail "VERSION names no release" "Copy the archive again."
  found "release $release for $(sed -n 's/^platform //p' "$here/VERSION"), Node $(sed -n 's/^node //p' "$here/VERSION")"
  case $(uname -m) in
    aarch64) needed=linux-arm64 ;;
    x86_64) needed=linux-x64 ;;
    *) needed=$(uname -m) ;;
  esac
  grep -qx "platform $needed" "$here/VERSION" ||
    fail "this machine needs an archive for $needed" "npm run pack:jetson -- --platform $needed"
  said=$("$here/bin/node" --version 2>&1) ||
    fail "Node does not run here: $said" "It needs glibc 2.28 (JetPack 5 or later) and libatomic1: apt-get install libatomic1."
}

check_clock() {
  built=$(sed -n 's/^at //p' "$here/VERSION" 2>/dev/null || true)
  now=$(date +%s)
  if [ -n "$built" ] && [ "$now" -lt "$built" ]; then
    note "the clock shows $(date -u +%F), before this release was made: set it, or the hub's certificate will not be accepted"
  else
    found "clock $(date -u +%FT%TZ)"
  fi
}

check_disk() {
  # The directory may not be there yet: what counts is where it will lie.
  place=$models
  while [ ! -d "$place" ]; do place=$(dirname "$place"); done
  type=$(stat -f -c %T "$place")
  mount=$(df --output=fstype "$place" 2>/dev/null | tail -n 1)
  free=$(df --output=avail -BM "$place" | tail -n 1 | tr -d ' ')
  if printf '%s' "$mount" | grep -qE "$UNFIT"; then
    fail "$models lies on $mount, where models vanish or cannot be replaced safely" "Mount a disk of this device there (ext4, xfs, btrfs, f2fs)."
  fi
  [ -w "$place" ] || fail "$place is mounted read-only" "Mount it for writing; look at the kernel log if it was not on purpose."
  found "$models on ${mount:-$type}, $free free"
}

# When the user is there, and before anything is given to it: models of somebody else would be models the agent cannot replace.
check_models() {
  [ -d "$models" ] || return 0
  owner=$(stat -c %U "$models")
  others=$(find "$models" -maxdepth 1 ! -user context-edge 2>/dev/null | wc -l)
  if [ "$owner" != context-edge ] || [ "$others" -gt 0 ]; then
    fail "$models holds files that do not belong to context-edge (the directory: $owner)" \
      "If the agent shall have them: chown -R context-edge: $models, and again."
  fi
}
