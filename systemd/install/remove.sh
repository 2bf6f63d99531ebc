# --uninstall: what install.sh listed is taken away again; models, the device's identity and the inference service are not. Sourced.

remove_agent() {
  for unit_file in "$agent" context-edge-restart.path context-edge-restart.service; do
    [ -e "$system/$unit_file" ] || continue
    did "systemctl disable --now $unit_file"
    [ "$dry" = yes ] || systemctl disable --now --quiet "$unit_file" 2>/dev/null || true
  done
  if [ -f "$list" ]; then
    while IFS= read -r path; do
      case $path in */) continue ;; esac
      if is_kept "$path"; then note "$path is kept: $kept_why"; else drop_file "$path"; fi
    done <"$list"
  fi
  for drop_ins in "$system/$agent.d" "$system/context-edge-restart.service.d"; do
    [ ! -d "$drop_ins" ] || rmdir "$drop_ins" 2>/dev/null || remove_drop_ins "$drop_ins"
  done
  [ "$purge" = no ] || purge_all
  if [ "$dry" = no ]; then
    for name in restart restart.tmp result .result.next; do rm -f "$requests/$name"; done
    remove_directories
  fi
  if [ -d "$app" ]; then
    did "$app/ (removed)"
    # The list goes last: a run that is killed here can be repeated.
    [ "$dry" = yes ] || { rm -rf "$app/versions" "$app/current" "$app/previous" && rm -rf "$app"; }
  fi
  [ "$dry" = no ] || return 0
  rmdir "$etc/agent" "$etc" "$requests" /opt/context-edge 2>/dev/null || true
  if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    systemctl reset-failed "$agent" context-edge-restart.path context-edge-restart.service 2>/dev/null || true
  fi
  [ ! -d "$models" ] || note "$models is kept ($(du -sh "$models" | cut -f1)), with this device's identity; --purge removes it"
}

# Those that were made here, the innermost first, and only when nothing of anybody's is in them.
remove_directories() {
  [ -f "$list" ] || return 0
  grep '/$' "$list" | sort -r | while IFS= read -r directory; do rmdir "$directory" 2>/dev/null || true; done
}

# is_kept PATH; says why in kept_why
is_kept() {
  [ "$purge" = no ] && [ -e "$1" ] || return 1
  case $1 in
    "$env")
      kept_why='it was changed by hand; --purge removes it'
      ! is_ours
      ;;
    /etc/sysusers.d/context-edge.conf)
      kept_why='the hub on this machine has the same user'
      [ -e "$system/context-edge-hub.service" ]
      ;;
    *) return 1 ;;
  esac
}

remove_drop_ins() {
  if [ "$purge" = no ]; then
    note "$1 is kept: somebody put something there"
  else
    did "$1/ (removed)"
    [ "$dry" = yes ] || rm -rf "$1"
  fi
}

purge_all() {
  if [ -d "$models" ]; then
    did "$models/ (removed)"
    [ "$dry" = yes ] || rm -rf "$models"
  fi
  if [ -e "$system/context-edge-hub.service" ]; then
    note "user context-edge is kept: the hub on this machine has it"
  elif id -u context-edge >/dev/null 2>&1; then
    did "user context-edge (removed)"
    [ "$dry" = yes ] || userdel context-edge
  fi
}
