"""What every system is asked to do, in the same order, and what is to be on each device afterwards."""

import re
from abc import ABC, abstractmethod
from pathlib import Path

from peers.counting import Counter
from peers.rows import FIRMS, Report, number_in
from peers.web import Web

# Devices: one that reports, and one of each town.
REPORTER, TOWN_A, TOWN_B = "reporter", "a", "b"

IN_FILES = re.compile("第([0-9]{1,5})号".encode())


class System(ABC):
    """A server and the devices around it. Between its methods nothing of it is busy."""

    name: str
    server_is: str
    client: str
    store: str

    def __init__(self, folder: Path, rows: list[Report]):
        self.folder, self.rows = folder, rows
        self.counter: Counter | None = None
        folder.mkdir()

    @abstractmethod
    def start(self, queued: list[Report]) -> None:
        """The server with two towns; the reporter's device in town A, in contact once, with `queued` not yet sent."""

    @abstractmethod
    def push(self) -> None:
        """The reporter's device sends what is queued."""

    @abstractmethod
    def fill(self, rows: list[Report]) -> None:
        """Others report `rows`, all in town A."""

    @abstractmethod
    def join(self, device: str) -> None:
        """A device of a town gets what it needs to begin; no row comes yet."""

    @abstractmethod
    def pull(self, device: str) -> None:
        """Brings a device up to date."""

    @abstractmethod
    def move(self) -> None:
        """Hands half of the enterprises, and with them of the rows, to town B; returns when that is done."""

    @abstractmethod
    def texts(self, device: str) -> list[str]:
        """The descriptions that a device shows."""

    @abstractmethod
    def server_pids(self) -> list[int]:
        """Roots of what serves, its database too."""

    @abstractmethod
    def client_pids(self) -> list[int]:
        """Roots of clients that live on between phases."""

    @abstractmethod
    def stop(self) -> None:
        """Ends all of it."""

    def readable(self, device: str) -> int:
        """Of the rows that a device no longer shows, how many its store still gives out when asked for them."""
        return 0

    def in_files(self, device: str) -> set[int]:
        """Numbers of the reports whose words lie open in a device's files; of compressed ones only some are found."""
        files = [path for path in (self.folder / f"device-{device}").rglob("*") if path.is_file()]
        return {int(found) for path in files for found in IN_FILES.findall(path.read_bytes())}

    def held(self, device: str) -> list[int]:
        """Numbers of the reports that a device shows, in order; one that is there twice is named twice."""
        return sorted(number_in(text) for text in self.texts(device))


def firm_id(number: int) -> str:
    """An enterprise's id, the same in every system: a UUIDv7, which ours asks its clients to make."""
    assert number < FIRMS
    return f"019b7a4c-0000-7000-8000-{number:012x}"


def admin(counter: Counter, login: tuple[str, str] | None = None) -> Web:
    """An administrator's connection, counted like every other."""
    return Web(counter.port, login)
