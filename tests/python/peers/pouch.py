"""pouchdb-server with PouchDB, in the two ways in which its users give each town its own rows."""

from pathlib import Path
from typing import Any

from peers.counting import Counter
from peers.node import NodeClient
from peers.processes import Program, free_port
from peers.rows import Report
from peers.system import REPORTER, System, TOWN_A, TOWN_B, admin, firm_id
from peers.web import in_lots

LOT = 500
FILTER = {"_id": "_design/app", "filters": {"of_town": "function (doc, req) { return doc.town === req.query.town; }"}}


class Pouch(System):
    """A database for each town: a row that moves is deleted in the one and put into the other."""

    name = "PouchDB, a database a town"
    server_is = "pouchdb-server on LevelDB"
    client = "PouchDB in Node"
    store = "LevelDB"
    filtered = False

    def __init__(self, folder: Path, rows: list[Report], modules: Path):
        super().__init__(folder, rows)
        self.modules = modules

    def database(self, town: str) -> str:
        return "all" if self.filtered else f"town-{town}"

    def document(self, row: Report) -> dict[str, Any]:
        return {"_id": row.id} | row.as_json(firm_id(row.firm), "grid worker 1", TOWN_A)

    def start(self, queued: list[Report]) -> None:
        port = free_port()
        script = self.modules / "node_modules" / "pouchdb-server" / "bin" / "pouchdb-server"
        self.server = Program(
            ["node", script, "--port", port, "--host", "127.0.0.1", "--dir", "databases", "--no-stdout-logs"],
            self.folder, "server")
        (self.folder / "databases").mkdir()
        self.server.until_it_answers(port, "/")
        self.counter = Counter(port)
        self.web = admin(self.counter)
        for name in {self.database(TOWN_A), self.database(TOWN_B)}:
            self.web.ask("PUT", f"/{name}")
            if self.filtered:
                self.web.ask("PUT", f"/{name}/_design/app", FILTER)
        self.client_program = NodeClient("pouch.mjs", self.modules, self.folder)
        self.open(REPORTER, TOWN_A)
        self.client_program.ask("pull", name=REPORTER)
        self.client_program.ask("queue", name=REPORTER, rows=[self.document(row) for row in queued])

    def open(self, device: str, town: str) -> None:
        self.client_program.ask(
            "open", name=device, folder=str(self.folder / f"device-{device}"),
            remote=f"{self.counter.base}/{self.database(town)}", town=town if self.filtered else None)

    def push(self) -> None:
        self.client_program.ask("push", name=REPORTER)

    def write(self, database: str, documents: list[dict[str, Any]]) -> None:
        for lot in in_lots(documents, LOT):
            results = self.web.ask("POST", f"/{database}/_bulk_docs", {"docs": lot})
            if refused := [result for result in results if not result.get("ok")]:
                raise RuntimeError(f"{database}: {refused[:3]}")

    def fill(self, rows: list[Report]) -> None:
        self.write(self.database(TOWN_A), [self.document(row) for row in rows])

    def join(self, device: str) -> None:
        self.open(device, device)

    def pull(self, device: str) -> None:
        self.client_program.ask("pull", name=device)

    def moving(self) -> list[dict[str, Any]]:
        """The documents of the enterprises that move, as the server has them."""
        moved = sorted({firm_id(row.firm) for row in self.rows if row.moves})
        asked = {"selector": {"enterprise_id": {"$in": moved}}, "limit": len(self.rows)}
        return self.web.ask("POST", f"/{self.database(TOWN_A)}/_find", asked)["docs"]

    def move(self) -> None:
        documents = self.moving()
        # First where they go to: who fails in between has a row twice, not lost.
        self.write(self.database(TOWN_B), [
            {name: value for name, value in one.items() if name != "_rev"} | {"town": TOWN_B} for one in documents])
        self.write(self.database(TOWN_A), [
            {"_id": one["_id"], "_rev": one["_rev"], "_deleted": True} for one in documents])

    def texts(self, device: str) -> list[str]:
        return self.client_program.ask("held", name=device)

    def readable(self, device: str) -> int:
        moved = [row.id for row in self.rows if row.moves]
        return self.client_program.ask("readable", name=device, ids=moved) if device == TOWN_A else 0

    def server_pids(self) -> list[int]:
        return [self.server.pid]

    def client_pids(self) -> list[int]:
        return [self.client_program.program.pid]

    def stop(self) -> None:
        for part in ("client_program", "server"):
            if hasattr(self, part):
                getattr(self, part).stop()
        if self.counter:
            self.counter.close()


class FilteredPouch(Pouch):
    """One database, and each device replicates what a filter on the server lets through."""

    name = "PouchDB, one with a filter"
    filtered = True

    def move(self) -> None:
        self.write(self.database(TOWN_A), [one | {"town": TOWN_B} for one in self.moving()])

    def readable(self, device: str) -> int:
        return 0
