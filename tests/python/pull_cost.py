"""Processor time of pulls between real processes: our server on SQLite and `hazardloop-device`, with HTTP and both databases.

    PYTHON tests/python/pull_cost.py --programs target/release [--rows 10000] [--out FILE]

PYTHON is that of `make setup`, with what `tests/python/client.py` needs. A server is filled, left alone until it has
indexed what it got, and then a new device pulls everything, and pulls again. What a device takes to start, to open its
sealed store and to end is counted, and is also what it takes when nothing is new.
"""

import argparse
import contextlib
import sys
import tempfile
import time
from pathlib import Path

from peers.measure import Meter
from peers.ours import Hazardloop
from peers.processes import tree_seconds
from peers.rows import reports
from peers.system import TOWN_A

# What a server goes on doing after it has answered counts too.
SETTLING_SECONDS = 0.5
# It is at rest when it takes less than this of a second.
AT_REST, PATIENCE = 0.02, 120
AIM_SECONDS = 1.0
AGAIN = 5


def until_at_rest(system: Hazardloop) -> None:
    """Waits until the server has done what pushes left to its jobs."""
    deadline, before = time.monotonic() + PATIENCE, None
    while True:
        taken = sum(tree_seconds(pid) for pid in system.server_pids())
        if before is not None and taken - before < AT_REST:
            return
        if time.monotonic() > deadline:
            raise SystemExit(f"the server is not at rest after {PATIENCE} s")
        before = taken
        time.sleep(1)


def main() -> int:
    parser = argparse.ArgumentParser(description="Processor time of pulls between real processes.")
    parser.add_argument("--programs", type=Path, required=True, help="where hazardloop and hazardloop-device lie")
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--out", type=Path)
    wish = parser.parse_args()
    rows = reports(wish.rows)
    with tempfile.TemporaryDirectory(prefix="hl-pull-") as folder, contextlib.redirect_stdout(sys.stderr):
        system = Hazardloop(Path(folder) / "ours", rows, wish.programs.resolve(), None)
        try:
            system.start(rows[:1])
            system.push()
            system.fill(rows[1:])
            system.join(TOWN_A)
            until_at_rest(system)
            meter = Meter(system, SETTLING_SECONDS)
            first = meter.of("first", lambda: system.pull(TOWN_A))
            held = len(system.held(TOWN_A))
            again = [meter.of("again", lambda: system.pull(TOWN_A)) for _ in range(AGAIN)]
        finally:
            system.stop()
    if held != len(rows):
        raise SystemExit(f"{held} of {len(rows)} rows are on the device")
    both = first.server_cpu + first.client_cpu
    nothing = sorted(again, key=lambda cost: cost.server_cpu + cost.client_cpu)[AGAIN // 2]
    reached = "reached" if both < AIM_SECONDS else "missed"
    text = (f"\n## Pulls between real processes (SQLite)\n\n| what | body up | body down | CPU s, server | CPU s, device "
            f"| aim |\n|---|---:|---:|---:|---:|---|\n| the first pull, {len(rows):,} hazards | {first.counted.up.body:,} "
            f"| {first.counted.down.body:,} | {first.server_cpu:.2f} | {first.client_cpu:.2f} "
            f"| under {AIM_SECONDS:.0f} s together: {reached} |\n| nothing is new | {nothing.counted.up.body:,} "
            f"| {nothing.counted.down.body:,} | {nothing.server_cpu:.2f} | {nothing.client_cpu:.2f} | |\n")
    print(text)
    if wish.out:
        wish.out.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
