"""A client of a peer, in Node: asked and answered in lines of JSON."""

import json
from pathlib import Path
from typing import Any

from peers.processes import Program


class NodeClient:
    """One Node process that plays all of a system's devices, each with a store of its own."""

    def __init__(self, script: str, modules: Path, folder: Path):
        self.program = Program(["node", Path(__file__).parent / script, modules], folder, "client", talks=True)

    def ask(self, act: str, **values: Any) -> Any:
        process = self.program.process
        process.stdin.write((json.dumps({"do": act, **values}) + "\n").encode())
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            raise self.program.fail(f"ended at {act}")
        answer = json.loads(line)
        if "failed" in answer:
            raise self.program.fail(answer["failed"])
        return answer["done"]

    def stop(self) -> None:
        self.program.stop()
