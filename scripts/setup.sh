#!/usr/bin/env bash
# Makes sure that what the build or the tests need is installed.
#   scripts/setup.sh run     what `make run` needs: Rust, a C compiler, libpq to link with
#   scripts/setup.sh test    the same, and PostgreSQL's server programs and schemathesis for `make test`
#   scripts/setup.sh soak    the same, and a C++ compiler for the fuzzer of `make soak`
#   scripts/setup.sh wasm    a compiler for WebAssembly, where rustup has none
# On a Debian or Ubuntu machine root gets the missing packages installed; anybody else is told which they are.
# Says nothing and returns at once when nothing is missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

mode=${1:-}
case $mode in run | test | soak | wasm) ;; *) sed -n 2,8p "$0" >&2; exit 2 ;; esac

fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

have() { command -v "$1" >/dev/null 2>&1; }

# The name that the linker looks for; libpq5 alone, without the development package, does not have it.
have_libpq() {
  local file
  for file in "${PQ_LIB_DIR:-/usr/lib}"/libpq.so /usr/lib/*-linux-gnu*/libpq.so /usr/local/lib/libpq.so; do
    [ -e "$file" ] && return 0
  done
  have pg_config && [ -e "$(pg_config --libdir 2>/dev/null)/libpq.so" ]
}

# Debian keeps the server programs off the PATH.
have_postgres() {
  local file
  have initdb && have postgres && return 0
  for file in /usr/lib/postgresql/*/bin/postgres; do [ -x "$file" ] && return 0; done
  return 1
}

# On Debian `python3 -m venv` needs the ensurepip module of a package of its own.
have_venv() {
  local file
  for file in /usr/lib/python3*/ensurepip/__init__.py; do [ -e "$file" ] && return 0; done
  have python3 && python3 -c 'import ensurepip, venv' 2>/dev/null
}

# Debian's compiler that builds std for WebAssembly; its ordinary one is too old.
have_web_rustc() { /usr/bin/rustc --version 2>/dev/null | grep -Eq '^rustc 1\.(8[5-9]|9[0-9]|[1-9][0-9]{2})\.'; }

missing_packages() {
  if [ "$mode" = wasm ]; then
    have_web_rustc || echo rustc-web
    [ -x /usr/bin/cargo ] || echo cargo-web
    have wasm-ld || echo lld
    [ -e "$(/usr/bin/rustc --print sysroot 2>/dev/null)/lib/rustlib/src/rust/library/Cargo.lock" ] || echo rust-web-src
    return
  fi
  have cc || echo gcc libc6-dev
  have_libpq || echo libpq-dev
  if [ "$mode" != run ]; then
    have_postgres || echo postgresql
    tools_ready || have_venv || echo python3-venv
  fi
  if [ "$mode" = soak ]; then
    have c++ || echo g++
  fi
}

# The tests make their own clusters: installing PostgreSQL must not leave one running on this machine.
keep_system_cluster_away() {
  local folder=/etc/postgresql-common/createcluster.d
  mkdir -p "$folder"
  printf '%s\n' '# Written by scripts/setup.sh of Hazardloop: its tests start clusters of their own.' \
    'create_main_cluster = false' >"$folder/hazardloop.conf"
}

install_packages() {
  have apt-get || fail "missing: $* (named as on Debian); install them with this system's package manager, then repeat"
  [ "$(id -u)" -eq 0 ] || fail "missing: $*; run: sudo apt-get update && sudo apt-get install -y --no-install-recommends $*"
  case " $* " in *" postgresql "*) keep_system_cluster_away ;; esac
  printf 'setup: installing %s\n' "$*"
  export DEBIAN_FRONTEND=noninteractive
  local log
  log=$(mktemp)
  if ! { apt-get update && apt-get install -y --no-install-recommends "$@"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    fail "apt-get could not install: $*"
  fi
  rm -f "$log"
}

# schemathesis and everything below it, in exact versions, in a folder that goes away with the build.
requirements=scripts/requirements-test.txt
tools=${CARGO_TARGET_DIR:-target}/tools/venv

tools_ready() { [ -x "$tools/bin/schemathesis" ] && cmp -s "$requirements" "$tools/requirements.txt"; }

install_tools() {
  local python=python3
  # Debian's own interpreter is the one that python3-venv belongs to.
  [ -e /etc/debian_version ] && [ -x /usr/bin/python3 ] && python=/usr/bin/python3
  printf 'setup: installing schemathesis into %s\n' "$tools"
  rm -rf "$tools"
  "$python" -m venv "$tools" || fail "python3 could not make a virtual environment in $tools"
  "$tools/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement "$requirements" \
    || fail "pip could not install $requirements; is the Python package index reachable?"
  # Last, so that an interrupted installation is repeated.
  cp "$requirements" "$tools/requirements.txt"
}

have cargo || fail "missing: Rust (cargo); install it from https://rustup.rs, open a new shell, then repeat"

mapfile -t missing < <(missing_packages | tr ' ' '\n')
[ ${#missing[@]} -eq 0 ] || install_packages "${missing[@]}"
case $mode in
  test | soak) tools_ready || install_tools ;;
esac
