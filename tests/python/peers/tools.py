"""Installs the peers, in pinned versions, into a folder that goes away with the build."""

import filecmp
import json
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
PINS = ("package.json", "package-lock.json", "requirements.txt")
NODE = 20
PATIENCE = 900


class Missing(Exception):
    """Something that the peers need is not on this machine and cannot be had."""


def install(folder: Path) -> Path:
    """Makes sure that they are there; the Python that has Kinto."""
    python = folder / "venv" / "bin" / "python"
    for name in ("node", "npm"):
        if not shutil.which(name):
            raise Missing(f"{name} is not installed")
    version = run(["node", "--version"], "node").strip()
    if int(version.lstrip("v").partition(".")[0]) < NODE:
        raise Missing(f"Node {version} is older than {NODE}")
    if all((folder / "done" / name).exists() and filecmp.cmp(HERE / name, folder / "done" / name, shallow=False)
           for name in PINS):
        return python
    print(f"beside_peers: installing into {folder}", file=sys.stderr, flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in PINS[:2]:
        shutil.copy(HERE / name, folder)
    # What packages would run when they are installed is not needed: LevelDB comes built, and nobody opens SQLite.
    run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder], "npm")
    run([sys.executable, "-m", "venv", folder / "venv"], "venv")
    run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
         "--requirement", HERE / "requirements.txt"], "pip")
    # Last, so that an interrupted installation is repeated.
    (folder / "done").mkdir()
    for name in PINS:
        shutil.copy(HERE / name, folder / "done")
    return python


def run(words: list[object], what: str) -> str:
    try:
        done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=PATIENCE)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Missing(f"{what}: {error}") from error
    if done.returncode:
        raise Missing(f"{what} ended with {done.returncode}: {(done.stdout + done.stderr).strip()[-500:]}")
    return done.stdout


def versions(folder: Path) -> str:
    """What was run, in one line."""
    found = {name: json.loads((folder / "node_modules" / name / "package.json").read_text())["version"]
             for name in ("pouchdb-server", "pouchdb", "kinto")}
    [kinto] = [line.partition("==")[2] for line in (HERE / "requirements.txt").read_text().splitlines()
               if line.startswith("kinto==")]
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return (f"pouchdb-server {found['pouchdb-server']} with PouchDB {found['pouchdb']}, Kinto {kinto} with kinto.js "
            f"{found['kinto']}, Node {node}.")
