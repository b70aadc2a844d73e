"""The tables, in Markdown: a phase a table, a system a line."""

from peers.measure import Cost
from peers.system import System

HEAD = ["system", "requests", "body up", "body down", "down, gzipped", "all, with headers", "wall s", "CPU s, server",
        "CPU s, client", "left behind"]
NOTES = """
Bodies are as they travelled, codings and all; *gzipped* is what a proxy that compresses would have made of answers
that went out plain. Of a move an administrator's script is the client, whose time is not counted. *Left behind*: rows
that the device shows after the phase and should not; in brackets such as its store still gives out to who asks for the
old revision, and whose words were found in its files (of compressed files not all are).
"""


def whole(results: list[tuple[System, list[Cost]]], versions: str, machine: str) -> str:
    """Everything that is written down."""
    lines = [f"## Beside peers ({machine})", "", versions, "", "| system | server | client | its store |",
             "|---|---|---|---|"]
    lines += [f"| {system.name} | {system.server_is} | {system.client} | {system.store} |" for system, _ in results]
    for at in range(len(results[0][1]) if results else 0):
        lines += ["", f"### {results[0][1][at].phase}", "", "| " + " | ".join(HEAD) + " |",
                  "|---|" + "---:|" * (len(HEAD) - 1)]
        lines += [line(system.name, costs[at]) for system, costs in results]
    return "\n".join(lines) + "\n" + NOTES.rstrip()


def line(name: str, cost: Cost) -> str:
    up, down = cost.counted.up, cost.counted.down
    cells = [name, f"{up.messages:,}", f"{up.body:,}", f"{down.body:,}", f"{down.gzipped:,}",
             f"{up.all + down.all:,}", f"{cost.wall:.2f}", f"{cost.server_cpu:.2f}", f"{cost.client_cpu:.2f}", behind(cost)]
    return "| " + " | ".join(cells) + " |"


def behind(cost: Cost) -> str:
    if cost.behind is None:
        return "-"
    counts = ((cost.readable, "as old revisions"), (cost.in_files, "in files"))
    hidden = [f"{count:,} {where}" for count, where in counts if count]
    return f"{cost.behind:,}" + (f" ({', '.join(hidden)})" if hidden else "")
