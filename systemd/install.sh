#!/bin/sh
# Installs, upgrades, rolls back and removes the Context Edge agent on a Jetson (or any Linux with systemd). Needs no network, asks nothing.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# In the archive the units lie beside this script, in a clone around it.
units=$here
[ -d "$here/systemd" ] && units=$here/systemd

usage() {
  cat <<'USAGE'
Usage: sudo ./install.sh --hub URL --hub-key FILE --release-key FILE --join-token FILE [options]    the first time
       sudo ./install.sh [options]          an upgrade, or the same again: settings stay as they are
       sudo ./install.sh --rollback         back to the release before
       sudo ./install.sh --uninstall [--purge]
       sudo ./install.sh --restart-only [--unit NAME]   on a K3s node: only the units that restart the inference service

  --hub URL             address of the hub
  --hub-key FILE        the hub's public key (PEM)
  --release-key FILE    public key that releases are signed with (PEM)
  --join-token FILE     file with the token that enrols this device; not needed once it is enrolled
  --device NAME         name of this device at the hub; its host name otherwise
  --group NAME          group wished for at the first enrolment
  --inference-url URL   where the inference service answers; http://127.0.0.1:8001
  --unit NAME           the inference service's unit; context-edge-inference.service
  --tensorrt VERSION    TensorRT inside the inference container, when it is not the host's
  --status-host ADDRESS where the device's own page listens; 127.0.0.1
  --pin FILE            file with the PIN that allows actions on that page
  --gpu                 let the agent use the GPU itself: for AGENT_PROBE=trtexec, and to build engines
  --dry-run             say what would be done, and do nothing
  --no-start            install and enable, but start nothing
  --purge               with --uninstall: also the models, the device's identity, the journal, and settings changed by hand
  --help                this text

What is installed is listed in /opt/context-edge/agent/installed. Models and the device's identity are never touched without --purge.
Exit codes: 0 done or nothing to do, 1 something is wrong and it is said what, 2 wrong use.
USAGE
}

action=install
hub='' hub_key='' release_key='' join_token='' device='' group='' inference_url='' unit='' tensorrt='' status_host='' pin=''
gpu=no dry=no start=yes purge=no
wrong() {
  echo "install.sh: $*. Try --help." >&2
  exit 2
}
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h) usage && exit 0 ;;
    --rollback) action=rollback ;;
    --uninstall) action=uninstall ;;
    --restart-only) action=restart-only ;;
    --gpu) gpu=yes ;;
    --dry-run) dry=yes ;;
    --no-start) start=no ;;
    --purge) purge=yes ;;
    --hub | --hub-key | --release-key | --join-token | --device | --group | --inference-url | --unit | --tensorrt | --status-host | --pin)
      [ $# -ge 2 ] || wrong "$1 needs a value"
      [ -n "$2" ] || wrong "$1 needs a value that is not empty"
      name=$(printf '%s' "${1#--}" | tr - _)
      eval "$name=\$2"
      shift
      ;;
    *) wrong "there is no option $1" ;;
  esac
  shift
done
[ "$purge" = no ] || [ "$action" = uninstall ] || wrong "--purge goes with --uninstall"
[ -z "$unit" ] || printf '%s' "$unit" | grep -qxE '[A-Za-z0-9:_.@-]+\.service' || wrong "--unit must be the name of a .service"
for file in "$hub_key" "$release_key" "$join_token" "$pin"; do
  [ -z "$file" ] || [ -s "$file" ] || wrong "$file is no file, or is empty"
done

app=/opt/context-edge/agent
models=/opt/context-edge/models
requests=/opt/context-edge/requests
etc=/etc/context-edge
system=/etc/systemd/system
own=/usr/local/lib/context-edge
agent=context-edge-agent.service
for part in say files checks settings service remove; do
  . "$units/install/$part.sh"
done

[ "$(id -u)" = 0 ] || fail "this needs root" "sudo $0 …"
one_at_a_time
case $action in
  uninstall)
    remove_agent
    ;;
  rollback)
    id=$(readlink "$app/previous" 2>/dev/null || true)
    [ -n "$id" ] && [ -d "$app/$id" ] || fail "there is no release before this one on this device" "Install the one you want from its archive."
    check_systemd
    switch_to "${id#versions/}"
    put_units "$app/$id/systemd"
    serve
    ;;
  restart-only)
    check_systemd
    put_requests
    put_restart_units "$units"
    put_unit_name
    serve_restart
    ;;
  install)
    check_machine
    check_archive
    check_settings
    put_user
    put_version
    put_settings
    switch_to "$release"
    put_units "$units"
    put_unit_name
    put_gpu
    serve
    drop_old_versions
    ;;
esac
sum_up
