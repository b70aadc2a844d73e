"""What one phase cost."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from peers.counting import Counted
from peers.processes import ended_seconds, tree_seconds
from peers.system import System


@dataclass
class Cost:
    """A phase: what passed the counter, what it took, and what was left on the device that it is about."""

    phase: str
    counted: Counted
    wall: float
    server_cpu: float
    client_cpu: float
    # Rows that should not be on the device: shown (None: not looked at), given out as an old revision, in its files.
    behind: int | None = None
    readable: int = 0
    in_files: int = 0


class Meter:
    """Measures the phases of one system."""

    def __init__(self, system: System, settling: float):
        self.system, self.settling = system, settling

    def processors(self) -> tuple[float, float]:
        server = sum(tree_seconds(pid) for pid in self.system.server_pids())
        return server, ended_seconds() + sum(tree_seconds(pid) for pid in self.system.client_pids())

    def of(self, phase: str, act: Callable[[], None]) -> Cost:
        """Runs `act`. The wall ends when it returns; processor time a moment later."""
        self.system.counter.take()
        server, client = self.processors()
        begun = time.monotonic()
        act()
        wall = time.monotonic() - begun
        time.sleep(self.settling)
        server_after, client_after = self.processors()
        return Cost(phase, self.system.counter.take(), wall, server_after - server, client_after - client)
