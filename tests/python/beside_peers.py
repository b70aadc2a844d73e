"""Does the same with our server and device as with two peers and their clients: what it costs, what is left behind.

    hazardloop-test-postgres run --fsync -- python3 tests/python/beside_peers.py \
        --programs target/release --tools target/tools/peers [--rows 10000] [--reports 500] [--out FILE]

500 reports are pushed; 10,000 rows pulled by a fresh device; half of them handed from town A to town B, and a device of
each town brought up to date. Everything is a process of this machine, on the loopback, in a temporary folder. What npm
and PyPI have of it is installed into `--tools`, in pinned versions; without them it says so and ends with 77. It fails
where a device does not hold what it should; what a peer leaves behind is a figure, what ours does a failure.
"""

import argparse
import os
import platform
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from peers import tools
from peers.kinto import Kinto
from peers.measure import Cost, Meter
from peers.ours import Hazardloop
from peers.postgres import CLUSTER, Cluster
from peers.pouch import FilteredPouch, Pouch
from peers.rows import Report, reports
from peers.system import REPORTER, System, TOWN_A, TOWN_B
from peers.tables import whole

LEFT_OUT = 77
# What a server goes on doing after it has answered counts too.
SETTLING_SECONDS = 0.5


def expect(system: System, device: str, expected: list[int]) -> int:
    """How many rows too many a device shows; that one is lacking, or is there twice, is a failure."""
    held = system.held(device)
    lacking = set(expected) - set(held)
    if lacking or len(held) != len(set(held)):
        raise SystemExit(f"{system.name}, device {device}: {len(lacking)} rows are lacking, "
                         f"{len(held) - len(set(held))} are there twice")
    return len(set(held) - set(expected))


def play(system: System, rows: list[Report], queued: int, note: Callable[[str], None]) -> list[Cost]:
    """All phases, in order."""
    numbers = [row.number for row in rows]
    stay = [row.number for row in rows if not row.moves]
    moved = [row.number for row in rows if row.moves]
    note("starting")
    system.start(rows[:queued])
    meter, costs = Meter(system, SETTLING_SECONDS), []

    def phase(name: str, act: Callable[[], None], device: str | None = None, expected: list[int] | None = None) -> None:
        note(name)
        cost = meter.of(name, act)
        if device is not None:
            cost.behind = expect(system, device, expected or [])
            cost.readable = system.readable(device)
            cost.in_files = len(system.in_files(device) - set(expected or []))
        costs.append(cost)

    phase(f"push {queued:,} reports", system.push, REPORTER, numbers[:queued])
    phase("the reporter's pull after it", lambda: system.pull(REPORTER), REPORTER, numbers[:queued])
    system.join(TOWN_B)
    phase("first pull, no rows", lambda: system.pull(TOWN_B), TOWN_B, [])
    note("filling")
    system.fill(rows[queued:])
    system.join(TOWN_A)
    phase(f"first pull, {len(rows):,} rows", lambda: system.pull(TOWN_A), TOWN_A, numbers)
    phase("nothing is new", lambda: system.pull(TOWN_A), TOWN_A, numbers)
    phase(f"the move of {len(moved):,}, by the server", system.move)
    phase("town A's device after it", lambda: system.pull(TOWN_A), TOWN_A, stay)
    phase("town B's device after it", lambda: system.pull(TOWN_B), TOWN_B, moved)
    return costs


def main() -> int:
    # So that what was started is stopped here too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parser = argparse.ArgumentParser(description="Our server and device beside peers.")
    parser.add_argument("--programs", type=Path, required=True, help="where hazardloop and hazardloop-device lie")
    parser.add_argument("--tools", type=Path, required=True, help="where the peers get installed")
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--reports", type=int, default=500)
    parser.add_argument("--only", default="", help="those whose names have this in them")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    programs, folder = arguments.programs.resolve(), arguments.tools.resolve()
    if CLUSTER not in os.environ:
        return left_out(f"{CLUSTER} is not set: run it by `hazardloop-test-postgres run`")
    try:
        python = tools.install(folder)
    except tools.Missing as missing:
        return left_out(str(missing))
    cluster, rows = Cluster(python), reports(arguments.rows)
    results: list[tuple[System, list[Cost]]] = []
    with tempfile.TemporaryDirectory(prefix="hl-peers-") as temporary:
        place = Path(temporary)
        makers: list[Callable[[], System]] = [
            lambda: Hazardloop(place / "ours", rows, programs, None),
            lambda: Hazardloop(place / "ours-postgres", rows, programs, cluster),
            lambda: Pouch(place / "pouch", rows, folder),
            lambda: FilteredPouch(place / "pouch-filtered", rows, folder),
            lambda: Kinto(place / "kinto", rows, folder, cluster)]
        for make in makers:
            system = make()
            if arguments.only not in system.name:
                continue
            begun = time.monotonic()
            try:
                costs = play(system, rows, arguments.reports,
                             lambda what: print(f"{system.name}: {what}", file=sys.stderr, flush=True))
            finally:
                system.stop()
            results.append((system, costs))
            print(f"{system.name}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
            if isinstance(system, Hazardloop) and any(cost.behind or cost.in_files for cost in costs):
                raise SystemExit(f"{system.name}: rows are left behind")
    if not results:
        raise SystemExit(f"no system has {arguments.only!r} in its name")
    text = whole(results, tools.versions(folder), f"{platform.machine()}, {os.cpu_count()} cores")
    print(text)
    if arguments.out:
        arguments.out.write_text(text + "\n")
    return 0


def left_out(why: str) -> int:
    print(f"beside_peers: left out: {why}")
    return LEFT_OUT


if __name__ == "__main__":
    sys.exit(main())
