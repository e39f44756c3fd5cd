# Sets up the checkout's virtual environment; sourced by the other scripts, which set -eu and start in the checkout.
# Afterwards $python is the environment's interpreter.

venv=.venv
python= uv=

say() { printf '%s\n' "$*"; }

fail() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 2
}

# find_python: set $found to a Python that is new enough and can make virtual environments.
find_python() {
  local candidate lacks_venv=
  for candidate in python3 python3.14 python3.13 python3.12 python3.11 python; do
    "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || continue
    if "$candidate" -c 'import ensurepip, venv' >/dev/null 2>&1; then
      found=$candidate
      return
    fi
    lacks_venv=$candidate
  done
  [ -z "$lacks_venv" ] || fail "$lacks_venv cannot make virtual environments: install its venv package (on Debian and Ubuntu python3-venv)"
  fail "this needs Python 3.11 or newer, and found none: install one and put it on the PATH"
}

# ensure_venv: make the virtual environment unless there is a working one.
ensure_venv() {
  local found
  _find_interpreter
  if [ -z "$python" ] || ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    find_python
    say "Making a virtual environment in $venv with $("$found" --version)"
    if ! "$found" -m venv --clear "$venv"; then
      rm -rf "$venv"
      fail "could not make $venv"
    fi
    _find_interpreter
  fi
  if ! "$python" -c 'import pip' 2>/dev/null; then
    "$python" -m ensurepip --upgrade >/dev/null || fail "$venv has no pip: delete it and start again"
  fi
}

_find_interpreter() {
  python=
  for python in "$venv/bin/python" "$venv/Scripts/python.exe" ''; do
    [ ! -x "$python" ] || return 0
  done
}

# ensure_installed NAME REQUIREMENTS...: pip install them, unless that was done and no project file has changed since.
# The requirements are given as to pip; NAME tells one such set from another.
ensure_installed() {
  local name=$1 stamp=$venv/installed-$1 log=$venv/install-$1.log key
  shift
  key=$(_installation_key "$@")
  if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$key" ]; then
    return
  fi
  say "Installing into $venv: $*"
  say "  (once, until a project file changes; pip's words go to $log)"
  rm -f "$stamp"
  "$python" -m pip install --disable-pip-version-check "$@" >"$log" 2>&1 &
  if ! wait_with_dots $!; then
    tail -n 20 "$log" >&2
    fail "the installation failed; all that pip said is in $log"
  fi
  printf '%s\n' "$key" >"$stamp"
}

# Everything that decides what pip would do: where the checkout is, the interpreter, the requirements, the project files.
_installation_key() {
  {
    pwd
    "$python" --version
    printf '%s\n' "$@"
    cat pyproject.toml core/pyproject.toml envs/*/pyproject.toml
  } | cksum
}

# wait_with_dots PID: wait for a job, with a sign of life every second; return its exit code.
wait_with_dots() {
  trap 'kill "$1" 2>/dev/null; exit 130' INT TERM
  while kill -0 "$1" 2>/dev/null; do
    printf '.'
    sleep 1
  done
  printf '\n'
  trap - INT TERM
  wait "$1"
}

# ensure_developer_tools: what scripts/test and scripts/check share, and every package of the checkout. An environment whose
# tests need more than its server has a dependency group `test`.
ensure_developer_tools() {
  local environments=() path
  for path in envs/*/pyproject.toml; do
    environments+=(-e "$(dirname "$path")[server]")
    if grep -q '^\[dependency-groups\]' "$path"; then environments+=(--group "$path:test"); fi
  done
  ensure_installed pip 'pip>=25.1'
  ensure_installed test --group dev -e core "${environments[@]}"
}

# ensure_release_tools: what builds packages, makes releases of them and publishes them. Afterwards $uv is uv's command.
ensure_release_tools() {
  ensure_installed pip 'pip>=25.1'
  ensure_installed release --group release
  uv=$("$python" -c 'from uv import find_uv_bin; print(find_uv_bin())')
}

# ensure_publishing_tools: what pushes images and Spaces: core, and those who read the packages' versions.
ensure_publishing_tools() {
  ensure_installed pip 'pip>=25.1'
  ensure_installed publishing --group release -e 'core[hub]'
}
