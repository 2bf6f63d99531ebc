#!/usr/bin/env bash
# Prints the path of a Python with requirements-dev.txt, made at the first call and kept in the user's cache. Exit 1 and a reason where it cannot be.
set -euo pipefail
cd "$(dirname "$0")"
python=${TRAINING_BASE_PYTHON:-}
for candidate in $python python3.11 python3.12 python3.13 python3; do
  if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    python=$candidate
    break
  fi
  python=
done
[ -n "$python" ] || { echo "there is no Python 3.11 or newer with venv (Debian: python3-venv)" >&2; exit 1; }
wanted=$({ cat requirements.txt requirements-dev.txt; "$python" -V; } | sha256sum | cut -c1-16)
venv=${XDG_CACHE_HOME:-$HOME/.cache}/context-edge/training-$wanted
if [ ! -e "$venv/whole" ]; then
  rm -rf "$venv"
  mkdir -p "$(dirname "$venv")"
  # On a machine without a GPU a mirror with PyTorch's CPU build saves a large download: PIP_FIND_LINKS, PIP_EXTRA_INDEX_URL.
  { "$python" -m venv "$venv" && "$venv/bin/pip" install --quiet --retries 1 -r requirements-dev.txt; } >"$venv.log" 2>&1 || {
    echo "pip could not install training/requirements-dev.txt: $(grep -m1 ERROR "$venv.log" || tail -n1 "$venv.log")" >&2
    exit 1
  }
  touch "$venv/whole"
fi
echo "$venv/bin/python"
