# Units, and whether what runs is what is installed. Sourced.

# put_units DIRECTORY: the units of the release that lies there
put_units() {
  put_file "$1/context-edge-agent.service" "$system/$agent" 644 root:root
  put_file "$1/context-edge-agent" /usr/local/bin/context-edge-agent 755 root:root
  put_restart_units "$1"
}

put_restart_units() {
  put_file "$1/restart-inference" "$own/restart-inference" 755 root:root
  put_file "$1/context-edge-restart.service" "$system/context-edge-restart.service" 644 root:root
  put_file "$1/context-edge-restart.path" "$system/context-edge-restart.path" 644 root:root
}

put_unit_name() {
  [ -n "$unit" ] || return 0
  printf '[Service]\nEnvironment=CONTEXT_EDGE_UNIT=%s\n' "$unit" |
    put_text "$system/context-edge-restart.service.d/10-unit.conf" 644 root:root
}

# Only groups that are there: with one that is not, systemd would not start the agent at all.
put_gpu() {
  [ "$gpu" = yes ] || return 0
  groups=''
  for group_name in video render; do
    if getent group "$group_name" >/dev/null; then groups="$groups $group_name"; fi
  done
  printf '[Service]\nPrivateDevices=no\nSupplementaryGroups=%s\nSystemCallFilter=setpriority ioprio_set\n' "${groups# }" |
    put_text "$system/$agent.d/10-gpu.conf" 644 root:root
}

enable_unit() {
  systemctl is-enabled --quiet "$1" 2>/dev/null && return 0
  did "systemctl enable $1"
  [ "$dry" = yes ] || systemctl enable --quiet "$1"
}

reload_systemd() {
  for one in "$agent" context-edge-restart.path context-edge-restart.service; do
    if [ "$(systemctl show --property=NeedDaemonReload --value "$one" 2>/dev/null)" = yes ]; then stale=yes; fi
  done
  # A unit that systemd has never heard of does not say that it is stale.
  if [ "${stale:-no}" = yes ] || [ "$changes" -gt 0 ]; then systemctl daemon-reload; fi
}

serve_restart() {
  enable_unit context-edge-restart.path
  [ "$start" = yes ] && [ "$dry" = no ] || return 0
  reload_systemd
  systemctl is-active --quiet context-edge-restart.path && [ "$changes" = 0 ] && return 0
  systemctl restart context-edge-restart.path ||
    fail "context-edge-restart.path does not start" "journalctl -u context-edge-restart.path"
}

# Everything that the running agent was started with.
started_with() {
  {
    readlink "$app/current"
    cat "$env" "$system/$agent" "$system/$agent.d/"*.conf "$etc/agent/"* 2>/dev/null || true
  } | sha256sum
}

serve() {
  serve_restart
  enable_unit "$agent"
  [ "$start" = yes ] || return 0
  if [ "$dry" = yes ]; then
    [ "$changes" = 0 ] || did "systemctl restart $agent"
    return 0
  fi
  if systemctl is-active --quiet "$agent" && [ "$(started_with)" = "$(cat "$app/started-with" 2>/dev/null)" ]; then return 0; fi
  did "systemctl restart $agent"
  # It returns when the agent has said that it is ready, or failed.
  if systemctl restart "$agent"; then
    started_with >"$app/started-with"
    found "$agent is ready"
    return 0
  fi
  journalctl --unit="$agent" --lines=8 --no-pager --output=cat >&2 || true
  go_back
}

# A release that does not start is not left in the place of one that did.
go_back() {
  if [ "$action" = install ] && [ -n "$before" ] && [ "$before" != "$(readlink "$app/current")" ]; then
    point_link "$app/current" "$before"
    put_units "$app/current/systemd"
    systemctl daemon-reload
    if systemctl restart "$agent"; then
      started_with >"$app/started-with"
      fail "release $release does not start; ${before#versions/} runs again" "Read the lines above."
    fi
  fi
  fail "$agent does not start" "Read the lines above; journalctl -u $agent says more."
}
