# How install.sh speaks: what was found, what was changed, what is wrong. Sourced.

# Changes made, or under --dry-run those that would be.
changes=0

found() { printf '  found    %s\n' "$*"; }
note() { printf '  note     %s\n' "$*"; }
did() {
  changes=$((changes + 1))
  if [ "$dry" = yes ]; then printf '  would    %s\n' "$*"; else printf '  done     %s\n' "$*"; fi
}
# fail WHAT NEXT-STEP
fail() {
  printf 'install.sh: %s.\n  next: %s\n' "$1" "$2" >&2
  exit 1
}

sum_up() {
  if [ "$changes" = 0 ]; then
    echo "Nothing to do: everything is as it should be."
  elif [ "$dry" = yes ]; then
    echo "$changes changes would be made; nothing was done."
  else
    echo "$changes changes made."
  fi
  if [ "$action" = install ] && [ "$dry" = no ]; then
    echo "Look: context-edge-agent status; journalctl -u context-edge-agent -e"
  fi
}

# A second run beside this one would undo what it does. The kernel lets go of the lock with the process.
one_at_a_time() {
  command -v flock >/dev/null || return 0
  exec 9>/run/context-edge-install.lock
  flock -n 9 || fail "another install.sh is running" "Wait until it has ended."
}
