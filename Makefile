# Thin: each target sets up what it needs and calls the tool that does the work.
#   make run LISTEN=127.0.0.1:9000 DATA=/var/tmp/hazardloop

LISTEN ?= 127.0.0.1:8080
DATA ?= ./data
# How long each figure of bench takes, and how long soak lasts.
EACH ?= 3
SECONDS ?= 300
EXAMPLES ?= 100
SEED ?= 1
# Which thin links bench syncs over, a part of their names; empty: those that take minutes; all: one more, which takes twenty.
LINK ?=
# Set, bench also runs pouchdb-server and Kinto beside ours: six to ten minutes more, and packages of npm and PyPI.
PEERS ?=
# Where cargo puts what it builds.
BUILT := $(or $(CARGO_TARGET_DIR),target)
WITH_POSTGRES := $(BUILT)/debug/hazardloop-test-postgres run --

# Of `a | tee b`, what `a` says counts.
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c

.DEFAULT_GOAL := help
.PHONY: help run test check bench soak wasm openapi fmt lint setup

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 18

run: ## build, then serve the demo on http://127.0.0.1:8080 (LISTEN=, DATA=)
	@scripts/setup.sh run
	cargo build --locked --release -p hazardloop-server -p hazardloop-device
	@exec $(BUILT)/release/hazardloop serve --demo --data-dir "$(DATA)" --listen "$(LISTEN)"

test: ## every test, on SQLite and on a PostgreSQL of its own
	@scripts/setup.sh test
	cargo build --locked --workspace --all-targets
	$(WITH_POSTGRES) cargo test --locked --workspace --no-fail-fast

check: lint ## lints and fast tests, for while you work
	cargo test --locked --workspace --lib --quiet
	cargo test --locked -p hazardloop-tests --test main --quiet house::

bench: ## bytes and cost of syncing, pushes/s beside bare statements, 500 devices at once, thin links (EACH= seconds a figure, LINK= which links, PEERS=1 peers too)
	@scripts/setup.sh test
	@command -v strace >/dev/null || echo 'bench: without strace the runs with slow flushes are left out'
	cargo build --locked --release -p hazardloop-sync-protocol --example bytes_bench
	$(BUILT)/release/examples/bytes_bench | tee $(BUILT)/bench-bytes.md
	cargo build --locked --release -p hazardloop-server --features bulk --example sync_bench
	$(BUILT)/release/examples/sync_bench | tee $(BUILT)/bench-sync.md
	cargo build --locked --release -p hazardloop-server -p hazardloop-tests
	cargo build --locked --release -p hazardloop-device
	$(BUILT)/release/hazardloop-bench --seconds $(EACH) --out $(BUILT)/bench.md
	$(BUILT)/tools/venv/bin/python tests/python/pull_cost.py --programs $(BUILT)/release --out $(BUILT)/bench-pulls.md
	python3 tests/python/shaped_link.py --programs $(BUILT)/release --only "$(LINK)" --out $(BUILT)/bench-links.md || [ $$? -eq 77 ]
	@[ -n "$(PEERS)" ] || echo 'bench: `make bench PEERS=1` also measures beside pouchdb-server and Kinto'
	[ -z "$(PEERS)" ] || $(BUILT)/release/hazardloop-test-postgres run --fsync -- \
	  $(BUILT)/tools/venv/bin/python tests/python/beside_peers.py --programs $(BUILT)/release \
	  --tools $(BUILT)/tools/peers --out $(BUILT)/bench-peers.md || [ $$? -eq 77 ]

soak: ## endurance: simulated schedules, the protocol's fuzzer, traces replayed and kill rounds on each database, SECONDS= each; a long run of schemathesis
	@scripts/setup.sh soak
	cargo build --locked --release -p hazardloop-simulation
	@rm -f $(BUILT)/soak-simulation.txt
	$(BUILT)/release/hazardloop-simulation --seconds $(SECONDS) --seed $(SEED) --out $(BUILT)/soak-simulation.txt
	scripts/fuzz.sh $(SECONDS)
	cargo build --locked --workspace --all-targets
	SOAK_SECONDS=$(SECONDS) SOAK_SEED=$(SEED) \
	$(WITH_POSTGRES) cargo test --locked -p hazardloop-server --lib -- --nocapture trace_tests::
	SOAK_SECONDS=$(SECONDS) SOAK_SEED=$(SEED) \
	FUZZ_EXAMPLES=$(EXAMPLES) FUZZ_SEED=$(SEED) \
	$(WITH_POSTGRES) cargo test --locked -p hazardloop-tests --test main -- --nocapture soak:: fuzz::
	@cat $(BUILT)/soak-simulation.txt

lint: ## formatting and clippy, warnings are errors
	@scripts/setup.sh run
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets --quiet -- -D warnings

wasm: ## the rules and the protocol compile for WebAssembly
	@scripts/wasm.sh build

openapi: ## write openapi.yaml from the code
	@scripts/setup.sh run
	cargo build --locked -p hazardloop-server
	$(BUILT)/debug/hazardloop openapi > $(BUILT)/openapi.yaml
	mv $(BUILT)/openapi.yaml openapi.yaml

fmt: ## format the code
	cargo fmt --all

setup: ## install what make test needs
	@scripts/setup.sh test
