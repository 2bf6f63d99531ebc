# Settings, keys and secrets of the agent: what was given is set, what is there and was not mentioned stays. Sourced.

env=$etc/agent.env

# setting NAME VALUE: what the person who called wants
wanted=''
setting() {
  [ -n "$2" ] || return 0
  # What systemd and the agent would read differently is not written at all.
  case $2 in
    *[\"\'\\\`\$\ ]* | *"
"*) fail "$1 cannot be set to $2" "Use a value without quotes, spaces, dollar signs and backslashes." ;;
  esac
  wanted="$wanted$1=$2
"
}

# The whole file as it shall be, to stdout.
settings_text() {
  if [ -f "$env" ]; then cat "$env"; else sed '/^AGENT_/d' "$units/agent.env.example"; fi |
    WANTED=$wanted awk '
      BEGIN {
        count = split(ENVIRON["WANTED"], lines, "\n")
        for (i = 1; i < count; i++) { name = lines[i]; sub(/=.*/, "", name); order[i] = name; line[name] = lines[i] }
      }
      { name = $0; sub(/=.*/, "", name) }
      name in line { print line[name]; done[name] = 1; next }
      { print }
      END { for (i = 1; i < count; i++) if (!(order[i] in done)) print line[order[i]] }'
}

# Before anything is changed: is everything there that a first start needs, and does the agent understand it?
check_settings() {
  missing=''
  [ -n "$hub" ] || grep -qs '^AGENT_HUB_URL=' "$env" || missing="$missing --hub"
  [ -n "$hub_key" ] || [ -s "$etc/agent/hub.pub.pem" ] || missing="$missing --hub-key"
  [ -n "$release_key" ] || [ -s "$etc/agent/release.pub.pem" ] || missing="$missing --release-key"
  [ -n "$join_token" ] || [ -s "$etc/agent/join-token" ] || [ -s "$models/.agent/identity.json" ] || missing="$missing --join-token"
  [ -z "$missing" ] || wrong "the first installation also needs$missing"
  if [ ! -f "$env" ]; then
    setting AGENT_DEVICE_ID "${device:-$(uname -n)}"
    setting AGENT_HUB_URL "$hub"
    setting AGENT_MODELS_DIR "$models"
    setting AGENT_HUB_KEYS "$etc/agent/hub.pub.pem"
    setting AGENT_RELEASE_KEYS "$etc/agent/release.pub.pem"
    setting AGENT_RELOADER systemd-path
    setting AGENT_REQUEST_DIR "$requests"
    setting AGENT_PROBE oip
    setting AGENT_INFERENCE_URL "${inference_url:-http://127.0.0.1:8001}"
  else
    setting AGENT_DEVICE_ID "$device"
    setting AGENT_HUB_URL "$hub"
    setting AGENT_INFERENCE_URL "$inference_url"
  fi
  setting AGENT_GROUP "$group"
  setting AGENT_UNIT "$unit"
  setting AGENT_TENSORRT "$tensorrt"
  setting AGENT_STATUS_HOST "$status_host"
  if [ "$credentials" = no ]; then
    [ -z "$join_token" ] || setting AGENT_JOIN_TOKEN_FILE "$etc/agent/join-token"
    [ -z "$pin" ] || setting AGENT_PIN_FILE "$etc/agent/pin"
  fi
  understood
}

# The agent itself judges them, with the keys where they still are.
understood() {
  trial=$(mktemp)
  settings_text | sed '/^AGENT_\(JOIN_TOKEN\|PIN\)_FILE=/d' >"$trial"
  [ -z "$hub_key" ] || sed -i "s|^AGENT_HUB_KEYS=.*|AGENT_HUB_KEYS=$hub_key|" "$trial"
  [ -z "$release_key" ] || sed -i "s|^AGENT_RELEASE_KEYS=.*|AGENT_RELEASE_KEYS=$release_key|" "$trial"
  ended=0
  # Exit 2 is for settings it does not understand; whether an agent runs is another question.
  said=$(env -i PATH="$PATH" "$here/bin/node" --env-file="$trial" "$here/agent/agent.mjs" status 2>&1 >/dev/null) || ended=$?
  rm -f "$trial"
  [ "$ended" != 2 ] || fail "the agent does not accept these settings: $said" "Correct the option or $env; nothing was changed."
}

is_ours() {
  sha256sum <"$env" | grep -qsxFf - "$app/settings.sha256"
}

put_settings() {
  [ -z "$hub_key" ] || put_file "$hub_key" "$etc/agent/hub.pub.pem" 644 root:root
  [ -z "$release_key" ] || put_file "$release_key" "$etc/agent/release.pub.pem" 644 root:root
  if [ "$credentials" = yes ]; then
    mode=600 owner=root:root
  else
    mode=640 owner=root:context-edge
  fi
  [ -z "$join_token" ] || put_file "$join_token" "$etc/agent/join-token" "$mode" "$owner"
  [ -z "$pin" ] || put_file "$pin" "$etc/agent/pin" "$mode" "$owner"
  # --uninstall leaves a file alone that was ever changed by hand. Noted before, so that a run that is killed is no hand.
  if [ "$dry" = no ] && { [ ! -f "$env" ] || is_ours; }; then
    sum=$(settings_text | sha256sum)
    grep -qsxF "$sum" "$app/settings.sha256" || printf '%s\n' "$sum" >>"$app/settings.sha256"
  fi
  settings_text | put_text "$env" 640 root:context-edge
}
