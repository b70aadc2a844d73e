"""Kinto on PostgreSQL with kinto.js: a collection for each town, readable by that town's account alone."""

import subprocess
from pathlib import Path
from typing import Any

from peers.counting import Counter
from peers.node import NodeClient
from peers.postgres import Cluster
from peers.processes import Program, free_port
from peers.rows import Report
from peers.system import REPORTER, System, TOWN_A, TOWN_B, admin, firm_id
from peers.web import in_lots

LOT = 500
PASSWORD = "correct-horse"
BUCKET = "hazards"
# Batches and pages of the same size as ours; Kinto's own defaults are 25 and no pages at all.
SETTINGS = """
[server:main]
use = egg:waitress#main
host = 127.0.0.1
port = %(http_port)s
[app:main]
use = egg:kinto
kinto.includes = kinto.plugins.accounts
kinto.storage_backend = kinto.core.storage.postgresql
kinto.storage_url = {database}
kinto.permission_backend = kinto.core.permission.postgresql
kinto.permission_url = {database}
kinto.cache_backend = kinto.core.cache.memory
kinto.userid_hmac_secret = only-for-a-measurement
multiauth.policies = account
multiauth.policy.account.use = kinto.plugins.accounts.AccountsPolicy
kinto.account_create_principals = system.Everyone
kinto.account_write_principals = account:admin
kinto.bucket_create_principals = account:admin
kinto.batch_max_requests = 500
kinto.paginate_by = 500
[loggers]
keys = root
[handlers]
keys = console
[formatters]
keys = plain
[logger_root]
level = WARNING
handlers = console
[handler_console]
class = StreamHandler
args = (sys.stderr,)
formatter = plain
[formatter_plain]
format = %(levelname)s %(message)s
"""


class Kinto(System):
    """A row that moves is deleted in the one collection and put into the other."""

    name = "Kinto, a collection a town"
    server_is = "Kinto (waitress) on PostgreSQL"
    client = "kinto.js in Node"
    store = "memory (a stand-in for IndexedDB)"

    def __init__(self, folder: Path, rows: list[Report], modules: Path, cluster: Cluster):
        super().__init__(folder, rows)
        self.modules, self.cluster = modules, cluster

    def record(self, row: Report) -> dict[str, Any]:
        return {"id": row.id} | row.as_json(firm_id(row.firm), "grid worker 1", TOWN_A)

    def start(self, queued: list[Report]) -> None:
        database = self.cluster.new_database("kinto").replace("postgres://", "postgresql://", 1)
        settings, port = self.folder / "kinto.ini", free_port()
        settings.write_text(SETTINGS.replace("{database}", database.replace("%", "%%")))
        program = self.cluster.python.parent / "kinto"
        migrated = subprocess.run([program, "migrate", "--ini", settings], capture_output=True, text=True)
        if migrated.returncode:
            raise RuntimeError(f"kinto migrate: {migrated.stdout}{migrated.stderr}")
        self.server = Program([program, "start", "--ini", settings, "--port", port], self.folder, "server")
        self.server.until_it_answers(port, "/v1/__heartbeat__")
        self.counter = Counter(port)
        self.web = admin(self.counter, ("admin", PASSWORD))
        for name in ("admin", TOWN_A, TOWN_B):
            admin(self.counter).ask("PUT", f"/v1/accounts/{name}", {"data": {"password": PASSWORD}})
        self.web.ask("PUT", f"/v1/buckets/{BUCKET}", {})
        for town in (TOWN_A, TOWN_B):
            self.web.ask("PUT", f"/v1/buckets/{BUCKET}/collections/town-{town}",
                         {"permissions": {"write": [f"account:{town}"]}})
        self.client_program = NodeClient("kinto.mjs", self.modules, self.folder)
        self.open(REPORTER, TOWN_A)
        self.client_program.ask("pull", name=REPORTER)
        self.client_program.ask("queue", name=REPORTER, rows=[self.record(row) for row in queued])

    def open(self, device: str, town: str) -> None:
        self.client_program.ask("open", name=device, remote=f"{self.counter.base}/v1", bucket=BUCKET,
                                collection=f"town-{town}", login=[town, PASSWORD])

    def push(self) -> None:
        self.client_program.ask("push", name=REPORTER)

    def batch(self, requests: list[dict[str, Any]]) -> None:
        for lot in in_lots(requests, LOT):
            answers = self.web.ask("POST", "/v1/batch", {"requests": lot})["responses"]
            if refused := [answer for answer in answers if not 200 <= answer["status"] < 300]:
                raise RuntimeError(f"batch: {refused[:3]}")

    @staticmethod
    def path(town: str, record: str) -> str:
        return f"/buckets/{BUCKET}/collections/town-{town}/records/{record}"

    def fill(self, rows: list[Report]) -> None:
        self.batch([{"method": "PUT", "path": self.path(TOWN_A, row.id), "body": {"data": self.record(row)}}
                    for row in rows])

    def join(self, device: str) -> None:
        self.open(device, device)

    def pull(self, device: str) -> None:
        self.client_program.ask("pull", name=device)

    def moving(self) -> list[dict[str, Any]]:
        """The records of the enterprises that move, page by page."""
        moved = sorted({firm_id(row.firm) for row in self.rows if row.moves})
        path = f"/v1/buckets/{BUCKET}/collections/town-{TOWN_A}/records?in_enterprise_id=" + ",".join(moved)
        found = []
        while path:
            found += self.web.ask("GET", path)["data"]
            following = self.web.answered["Next-Page"]
            path = following and "/v1" + following.partition("/v1")[2]
        return found

    def move(self) -> None:
        records = self.moving()
        for one in records:
            del one["last_modified"]
        # First where they go to: who fails in between has a row twice, not lost.
        self.batch([{"method": "PUT", "path": self.path(TOWN_B, one["id"]), "body": {"data": one | {"town": TOWN_B}}}
                    for one in records])
        self.batch([{"method": "DELETE", "path": self.path(TOWN_A, one["id"])} for one in records])

    def texts(self, device: str) -> list[str]:
        return self.client_program.ask("held", name=device)

    def server_pids(self) -> list[int]:
        return [self.server.pid, self.cluster.pid]

    def client_pids(self) -> list[int]:
        return [self.client_program.program.pid]

    def stop(self) -> None:
        for part in ("client_program", "server"):
            if hasattr(self, part):
                getattr(self, part).stop()
        if self.counter:
            self.counter.close()
