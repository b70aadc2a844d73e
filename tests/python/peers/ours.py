"""hazardloop with its real device program: enterprises move, and their rows with them."""

import contextlib
import json
import os
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import client
from peers.counting import Counter
from peers.postgres import Cluster
from peers.processes import Program, free_port
from peers.rows import FIRMS, MOVED_FIRMS, REASON, Report, rfc3339
from peers.system import REPORTER, System, TOWN_A, TOWN_B, firm_id
from peers.web import Web, in_lots

PASSWORD = "hazardloop-demo"
DISTRICT = "500153000000"
GRID_WORKER, GRID = "grid_worker", 5
LOT = 500
# Signature of a command that a later one's signature covers.
COVERED = 2
# Without what holds back many requests of few people from one address.
UNHINDERED = {
    "HAZARDLOOP_HTTP__REQUESTS_PER_SECOND": "1000000", "HAZARDLOOP_HTTP__REQUEST_BURST": "1000000",
    "HAZARDLOOP_SIGN_IN__ATTEMPTS_PER_MINUTE": "100000", "HAZARDLOOP_SIGN_IN__ACCESS_TOKEN_S": "3600"}
PATIENCE = 120


class Hazardloop(System):
    """Our server, and `hazardloop-device`, each run of which is a process."""

    client = "hazardloop-device"
    store = "SQLite, sealed"

    def __init__(self, folder: Path, rows: list[Report], programs: Path, cluster: Cluster | None):
        super().__init__(folder, rows)
        self.programs, self.cluster = programs, cluster
        database = "PostgreSQL" if cluster else "SQLite"
        self.name, self.server_is = f"hazardloop, {database}", f"hazardloop serve on {database}"
        self.towns: dict[str, str] = {}

    def start(self, queued: list[Report]) -> None:
        self.port = port = free_port()
        words = [self.programs / "hazardloop", "--data-dir", self.folder / "data"]
        if self.cluster:
            words += ["--database-url", self.cluster.new_database("ours")]
        self.server = Program(words + ["serve", "--demo", "--listen", f"127.0.0.1:{port}"], self.folder, "server",
                              UNHINDERED)
        self.server.until_it_answers(port, "/api/v1/openapi.yaml")
        self.counter = Counter(port)
        self.web = Web(self.counter.port)
        session = self.web.ask("POST", "/api/v1/sessions", {"login": "admin", "password": PASSWORD})
        self.web.headers["Authorization"] = f"Bearer {session['access_token']}"
        self.make_world()
        (self.folder / "keys").mkdir(mode=0o700)
        self.join(REPORTER)
        for row in queued:
            self.device(
                REPORTER, "report", f"--enterprise={firm_id(row.firm)}", f"--place={row.place}",
                f"--text={row.description}",
                f"--at={row.longitude},{row.latitude}±{row.accuracy_m}", f"--found-at={rfc3339(row.found_ms)}",
                f"--no-photo-reason={REASON}")

    def make_world(self) -> None:
        """Two towns below the sample's district, all enterprises in A, and a grid worker for each device."""
        nodes = self.web.ask("GET", "/api/v1/jurisdictions")["items"]
        [district] = [node["id"] for node in nodes if node.get("division_code") == DISTRICT]
        for town in (TOWN_A, TOWN_B):
            self.towns[town] = str(uuid.UUID(bytes=client.uuid7()))
            self.web.ask("POST", "/api/v1/jurisdictions", {
                "id": self.towns[town], "parent_id": district, "name": f"{town}镇", "level": "town"})
        for number in range(FIRMS):
            self.web.ask("POST", "/api/v1/enterprises", {
                "id": firm_id(number), "name": f"第{number}机械制造有限公司", "sector": "industry-and-trade",
                "jurisdiction_id": self.towns[TOWN_A]})
        for login, town in ((REPORTER, TOWN_A), (TOWN_A, TOWN_A), (TOWN_B, TOWN_B), ("others", TOWN_A)):
            self.web.ask("POST", "/api/v1/people", {
                "id": str(uuid.UUID(bytes=client.uuid7())), "login": f"peer-{login}", "name": f"网格员{login}",
                "password": PASSWORD,
                "grants": [{"role": GRID_WORKER, "scope": {"jurisdiction": self.towns[town]}}]})

    def device(self, name: str, *words: str) -> str:
        line = [self.programs / "hazardloop-device", "--home", self.folder / f"device-{name}", "--user", f"peer-{name}",
                "--server", self.counter.base, *words]
        environment = os.environ | {"HAZARDLOOP_PASSWORD": PASSWORD,
                                    "HAZARDLOOP_DEVICE_KEYS": str(self.folder / "keys")}
        done = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=600)
        if done.returncode:
            raise RuntimeError(f"hazardloop-device {words}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def join(self, device: str) -> None:
        self.device(device, "enroll")
        if device == REPORTER:
            self.device(device, "sync")

    def push(self) -> None:
        self.device(REPORTER, "push")

    def pull(self, device: str) -> None:
        self.device(device, "pull")

    def fill(self, rows: list[Report]) -> None:
        """By the Python client, in the full form, the last command of each batch signed for all of it."""
        server, device = client.Server(self.counter.base), client.Device()
        with contextlib.redirect_stdout(sys.stderr):
            person = client.sign_in(server, "peer-others", PASSWORD)
            client.enrol(server, device, uuid.UUID(person["id"]).bytes)
        for lot in in_lots(rows, LOT):
            envelopes = [seal(device, row, row is lot[-1]) for row in lot]
            outcomes = client.outcomes(client.push(server, device, envelopes))
            if refused := [one for one in outcomes if one[1] != client.APPLIED]:
                raise RuntimeError(f"not applied: {refused[:3]}")

    def move(self) -> None:
        for number in range(MOVED_FIRMS):
            self.web.ask("GET", f"/api/v1/enterprises/{firm_id(number)}")
            self.web.ask("POST", f"/api/v1/enterprises/{firm_id(number)}/relocate",
                         {"jurisdiction_id": self.towns[TOWN_B], "reason": "区划调整"},
                         **{"If-Match": self.web.answered["ETag"]})
        self.until_moved()

    def until_moved(self) -> None:
        """Of an enterprise with very many hazards the server moves the later ones after it has answered."""
        expected, deadline = sum(row.moves for row in self.rows), time.monotonic() + PATIENCE
        while self.count(TOWN_B) < expected:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.count(TOWN_B)} of {expected} have moved within {PATIENCE} s")
            time.sleep(0.1)

    def count(self, town: str) -> int:
        """How many hazards a town has, asked beside the counter: an administrator would not ask it."""
        web = Web(self.port)
        web.headers = self.web.headers
        answer = web.ask("GET", f"/api/v1/hazards?jurisdiction_id={self.towns[town]}&limit=1&count=true")
        web.close()
        return answer["total"]["count"]

    def texts(self, device: str) -> list[str]:
        shown: Any = json.loads(self.device(device, "list", "--json"))
        items = shown["items"] if isinstance(shown, dict) else shown
        return [one["description"] for one in items]

    def server_pids(self) -> list[int]:
        return [self.server.pid] + ([self.cluster.pid] if self.cluster else [])

    def client_pids(self) -> list[int]:
        return []

    def stop(self) -> None:
        if hasattr(self, "server"):
            self.server.stop()
        if self.counter:
            self.counter.close()


def seal(device: client.Device, row: Report, is_last: bool) -> dict[int, Any]:
    """A report's envelope; only the last of a batch is signed."""
    fields = {
        0: GRID, 1: 1, 2: uuid.UUID(firm_id(row.firm)).bytes, 3: row.description, 4: row.place,
        5: {0: round(row.longitude * 1e7), 1: round(row.latitude * 1e7), 2: 0, 3: row.accuracy_m * 10},
        6: row.found_ms, 7: [], 8: REASON}
    if is_last:
        return device.seal("report", client.uuid7(), fields)
    payload = client.encode({0: device.clocks(), 1: client.uuid7(), 2: client.encode(fields)})
    envelope = {0: device.seq + 1, 1: "report", 2: 1, 3: device.previous, 4: payload, 5: COVERED, 6: b""}
    device.seq, device.previous = device.seq + 1, device.link(envelope)
    return envelope
