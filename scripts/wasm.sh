#!/usr/bin/env bash
# Builds the rules and the protocol, which know no sockets, files, clocks or threads, for WebAssembly:
#   scripts/wasm.sh build         the library; `check`: whether it compiles
# With rustup's target wasm32-unknown-unknown where it is installed; else with Debian's compiler and the source of its
# standard library: older than what the crates ask for, but what they use of newer ones it has as previews.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

mode=${1:-}
case $mode in build | check) ;; *) sed -n 2,6p "$0" >&2; exit 2 ;; esac
target=wasm32-unknown-unknown
built=$(realpath -m "${CARGO_TARGET_DIR:-target}")
wanted=(-p hazardloop-sync-protocol --no-default-features --target "$target")

if command -v rustup >/dev/null && rustup target list --installed 2>/dev/null | grep -qx "$target"; then
  exec cargo "$mode" --locked --quiet "${wanted[@]}"
fi

scripts/setup.sh wasm
mkdir -p "$built/wasm"
wrapper=$built/wasm/rustc-with-previews
cat >"$wrapper" <<'WRAPPER'
#!/bin/sh
# What ours and crates of the registry use is stable today and a preview in this compiler.
rustc=$1
shift
case " $* " in
  *" --crate-name hazardloop_"*)
    exec "$rustc" -Astable_features -Zcrate-attr='feature(let_chains, unsigned_is_multiple_of, const_vec_string_slice)' "$@" ;;
  *"/registry/src/"*)
    exec "$rustc" -Astable_features -Zcrate-attr='feature(let_chains, slice_as_chunks, const_eq_ignore_ascii_case)' "$@" ;;
esac
exec "$rustc" "$@"
WRAPPER
chmod +x "$wrapper"
# Its own folder: another compiler.
export RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc RUSTC_WRAPPER=$wrapper CARGO_TARGET_DIR=$built/wasm
export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld
exec /usr/bin/cargo "$mode" --locked --quiet --ignore-rust-version -Zbuild-std=std,panic_abort "${wanted[@]}"
