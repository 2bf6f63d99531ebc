#!/usr/bin/env bash
# One training run, for cron, a systemd timer or a hand: in the container, or with TRAINING_RUNNER=python in this machine's Python.
# Settings come from the environment, or from TRAINING_ENV_FILE. The exit code is the run's own (docs/training.md); arguments are passed on.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

if [ -n "${TRAINING_ENV_FILE:-}" ]; then
  set -a
  # shellcheck source=/dev/null
  . "$TRAINING_ENV_FILE"
  set +a
fi

if [ "${TRAINING_RUNNER:-docker}" = python ]; then
  cd "$here/.."
  exec "${TRAINING_PYTHON:-python3}" -m training.train "$@"
fi

work=${TRAINING_WORK:-/var/lib/context-edge-training}
options=(--rm --name "${TRAINING_CONTAINER:-context-edge-training}" --read-only --tmpfs /tmp
  --cap-drop ALL --security-opt no-new-privileges --mount "type=bind,src=$work,dst=/work")
# The caller owns the key and the work directory, so the run is this user's. Root stays out of it: then the image's own user runs.
[ "$(id -u)" = 0 ] || options+=(--user "$(id -u):$(id -g)")
if [ "${TRAINING_GPUS:-auto}" = all ] || { [ "${TRAINING_GPUS:-auto}" = auto ] && nvidia-smi -L >/dev/null 2>&1; }; then
  options+=(--gpus all)
fi
[ -z "${TRAINING_NETWORK:-}" ] || options+=(--network "$TRAINING_NETWORK")
# Files are mounted; their names inside are told by the same variables.
for name in CONTEXT_EDGE_RELEASE_KEY_FILE CONTEXT_EDGE_TOKEN_FILE SSL_CERT_FILE AWS_SHARED_CREDENTIALS_FILE; do
  [ -n "${!name:-}" ] || continue
  options+=(--mount "type=bind,src=$(realpath "${!name}"),dst=/run/secrets/$name,readonly")
  export "$name=/run/secrets/$name"
done
export TRAINING_WORK=/work
# By name only: what a variable holds must not stand in a list of processes.
for name in $(compgen -e | grep -E '^(CONTEXT_EDGE_|TRAINING_|AWS_|PG|SSL_CERT_FILE$|(HTTPS?|NO)_PROXY$|(https?|no)_proxy$)'); do
  options+=(--env "$name")
done
exec "${TRAINING_DOCKER:-docker}" run "${options[@]}" "${TRAINING_IMAGE:-context-edge-training}" "$@"
