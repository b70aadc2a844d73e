"""Programs started for a measurement: a port, a log, the processor time of everything that they started."""

import http.client
import os
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
PATIENCE = 60


def free_port() -> int:
    """One that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


class Program:
    """A program that runs until it is stopped, as the leader of a process group of its own."""

    def __init__(self, words: Iterable[object], folder: Path, name: str,
                 environment: Mapping[str, str] | None = None, talks: bool = False):
        self.log = folder / f"{name}.log"
        pipe = subprocess.PIPE if talks else None
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [str(word) for word in words], cwd=folder, env=os.environ | dict(environment or {}),
                stdin=pipe or subprocess.DEVNULL, stdout=pipe or log, stderr=log, start_new_session=True)

    @property
    def pid(self) -> int:
        return self.process.pid

    def fail(self, why: str) -> RuntimeError:
        tail = self.log.read_text(errors="replace")[-3000:]
        return RuntimeError(f"{self.process.args}: {why}\n{tail}")

    def until_it_answers(self, port: int, path: str) -> None:
        """Waits until a GET is answered at all."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise self.fail(f"ended with {self.process.returncode}")
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                connection.request("GET", path)
                connection.getresponse().read()
                connection.close()
                return
            except (OSError, http.client.HTTPException):
                time.sleep(0.1)
        raise self.fail(f"does not answer within {PATIENCE} s")

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.pid, signal.SIGKILL)
                self.process.wait(20)


def _stat(pid: int) -> list[str] | None:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def _children(pid: int) -> list[int]:
    found = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(word) for word in path.read_text().split()]
        except OSError:
            continue
    return found


def tree_seconds(pid: int) -> float:
    """Processor time of a process, of what it has waited for and of all that runs below it."""
    stat = _stat(pid)
    if stat is None:
        return 0.0
    own = sum(int(stat[at]) for at in (11, 12, 13, 14)) / TICK
    return own + sum(tree_seconds(child) for child in _children(pid))


def ended_seconds() -> float:
    """Processor time of all programs that we have started and waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime

