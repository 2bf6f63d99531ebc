# Files as install.sh puts them: each whole or not at all, listed before it is made, and left alone when it is right. Sourced.

# Beside the file while it is written; a run that was killed leaves at most this, and the next one writes over it.
NEXT=.context-edge-next
list=$app/installed

# Listed first: whatever happens afterwards, --uninstall knows of it.
listed() {
  grep -qxF "$1" "$list" 2>/dev/null && return 0
  mkdir -p "$app"
  printf '%s\n' "$1" >>"$list"
}

# make_directory PATH: and those above it; each that was not there goes again with --uninstall, if it is empty then
make_directory() {
  [ -d "$1" ] && return 0
  make_directory "$(dirname "$1")"
  listed "$1/"
  mkdir -m 755 "$1"
}

# is_file PATH SOURCE MODE OWNER:GROUP
is_file() {
  [ -f "$1" ] && [ ! -L "$1" ] && cmp -s "$1" "$2" && [ "$(stat -c '%a %U:%G' "$1")" = "$3 $4" ]
}

# put_file SOURCE PATH MODE OWNER:GROUP
put_file() {
  if is_file "$2" "$1" "$3" "$4"; then return 0; fi
  if [ -e "$2" ]; then did "$2 (replaced)"; else did "$2"; fi
  [ "$dry" = no ] || return 0
  listed "$2"
  make_directory "$(dirname "$2")"
  rm -f "$2$NEXT"
  # Secrets are never readable by others, not even while they are written.
  (umask 077 && cat "$1" >"$2$NEXT")
  chown "$4" "$2$NEXT"
  chmod "$3" "$2$NEXT"
  mv -f "$2$NEXT" "$2"
}

# put_text PATH MODE OWNER:GROUP, with the text on stdin
put_text() {
  text=$(mktemp)
  cat >"$text"
  put_file "$text" "$1" "$2" "$3"
  rm -f "$text"
}

drop_file() {
  [ -e "$1" ] || [ -L "$1" ] || return 0
  did "$1 (removed)"
  [ "$dry" = no ] || return 0
  rm -f "$1" "$1$NEXT"
}

# point_link PATH TARGET: rename(2) is atomic; there is no instant without a link
point_link() {
  [ "$(readlink "$1" 2>/dev/null || true)" != "$2" ] || return 0
  did "$1 -> $2"
  [ "$dry" = no ] || return 0
  rm -f "$1$NEXT"
  ln -s "$2" "$1$NEXT"
  mv -fT "$1$NEXT" "$1"
}

# The user from sysusers.d, the directories from tmpfiles.d: as every boot would make them.
put_user() {
  put_file "$units/sysusers.conf" /etc/sysusers.d/context-edge.conf 644 root:root
  if ! id -u context-edge >/dev/null 2>&1; then
    did "user context-edge"
    [ "$dry" = yes ] || systemd-sysusers /etc/sysusers.d/context-edge.conf
  fi
  check_models
  put_file "$units/agent.tmpfiles.conf" /etc/tmpfiles.d/context-edge-agent.conf 644 root:root
  for directory in "$etc/agent" "$models" "$requests"; do
    [ -d "$directory" ] && continue
    did "$directory/"
    # Made below, by systemd-tmpfiles, with their owners.
    [ "$dry" = yes ] || [ "$directory" = "$models" ] || listed "$directory/"
  done
  [ "$dry" = yes ] || systemd-tmpfiles --create /etc/tmpfiles.d/context-edge-agent.conf
}

# On a K3s node the agent is a pod; whoever owns the models writes the requests.
put_requests() {
  [ -d "$requests" ] && return 0
  did "$requests/"
  [ "$dry" = no ] || return 0
  make_directory "$requests"
  [ ! -d "$models" ] || chown --reference="$models" "$requests"
}

# One directory per release: unpacked aside, checked, and renamed into its place.
put_version() {
  to=$app/versions/$release
  if [ -d "$to" ] && (cd "$to" && sha256sum --check --status SHA256SUMS); then return 0; fi
  did "$to/"
  [ "$dry" = no ] || return 0
  mkdir -p "$app/versions"
  rm -rf "$app/versions/.next" "$to"
  cp -a "$here" "$app/versions/.next"
  chown -R root:root "$app/versions/.next"
  (cd "$app/versions/.next" && sha256sum --check --status SHA256SUMS) ||
    fail "the copy in $app is not what the archive holds" "Look at the disk: dmesg, df $app."
  sync -f "$app/versions/.next"
  mv "$app/versions/.next" "$to"
}

# switch_to RELEASE; the one before stays, for --rollback
switch_to() {
  before=$(readlink "$app/current" 2>/dev/null || true)
  if [ -n "$before" ] && [ "$before" != "versions/$1" ] && [ -d "$app/$before" ]; then
    point_link "$app/previous" "$before"
  fi
  point_link "$app/current" "versions/$1"
}

drop_old_versions() {
  for directory in "$app"/versions/*; do
    [ -d "$directory" ] || continue
    case versions/${directory##*/} in
      "$(readlink "$app/current")" | "$(readlink "$app/previous" 2>/dev/null || true)") ;;
      *)
        did "$directory/ (removed)"
        [ "$dry" = yes ] || rm -rf "$directory"
        ;;
    esac
  done
}
