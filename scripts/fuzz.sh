#!/usr/bin/env bash
# Seeks bytes that break what must hold, by coverage: every target of sync-protocol/fuzz in turn.
#   scripts/fuzz.sh SECONDS       how long all of them together take, building apart
# What it learns stays below target/fuzz/corpus, what it finds goes to target/fuzz/found. A find belongs into
# sync-protocol/fuzz/corpus, where `make test` runs it ever after.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seconds=${1:?how many seconds}
built=$(realpath -m "${CARGO_TARGET_DIR:-target}")
tools=$built/tools/cargo-fuzz
version=0.13.2
# Inputs are small, and so must be what is made of them.
limits=(-max_len=8192 -rss_limit_mb=512 -timeout=10)

if ! "$tools/bin/cargo-fuzz" fuzz --version 2>/dev/null | grep -qF "$version"; then
  printf 'fuzz: installing cargo-fuzz %s into %s\n' "$version" "$tools"
  cargo install --quiet --locked --version "$version" --root "$tools" --target-dir "$tools/target" cargo-fuzz
  rm -rf "$tools/target"
fi

targets=()
for folder in sync-protocol/fuzz/corpus/*/; do targets+=("$(basename "$folder")"); done
each=$((seconds / ${#targets[@]}))
[ "$each" -ge 5 ] || each=5

cd sync-protocol
fuzz() { "$tools/bin/cargo-fuzz" fuzz "$@"; }
# The coverage is the compiler's own: a sanitizer would want another toolchain, and there is no unsafe code here.
options=(--fuzz-dir fuzz --sanitizer none --target-dir "$built/fuzz")
# A fuzzer's program exports a symbol, which the lints of the workspace forbid.
export RUSTFLAGS=--cap-lints=warn
fuzz build "${options[@]}"
for target in "${targets[@]}"; do
  learned=$built/fuzz/corpus/$target found=$built/fuzz/found/$target
  mkdir -p "$learned" "$found"
  log=$found.log
  if ! fuzz run "${options[@]}" "$target" "$learned" "fuzz/corpus/$target" -- \
    -max_total_time="$each" -artifact_prefix="$found/" "${limits[@]}" >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    printf 'fuzz: %s: something does not hold, see %s\n' "$target" "$found" >&2
    exit 1
  fi
  printf 'fuzz: %-9s %s\n' "$target" "$(grep -a '^Done ' "$log")"
done
