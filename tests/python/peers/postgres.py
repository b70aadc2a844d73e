"""The PostgreSQL cluster that `hazardloop-test-postgres run` starts for its command: Kinto's, and ours in one run."""

import os
import subprocess
from pathlib import Path

CLUSTER = "HAZARDLOOP_TEST_POSTGRES"
# The parent of whoever serves this connection is the process that all others of the cluster are below.
ASK = """
import sys, psycopg2
connection = psycopg2.connect(sys.argv[1])
connection.autocommit = True
cursor = connection.cursor()
for name in sys.argv[2:]:
    cursor.execute("CREATE DATABASE " + name + " TEMPLATE template0 ENCODING 'UTF8'")
    cursor.execute("ALTER DATABASE " + name + " SET timezone = 'UTC'")
cursor.execute("SELECT pg_backend_pid()")
with open(f"/proc/{cursor.fetchone()[0]}/stat") as stat:
    print(stat.read().rpartition(")")[2].split()[1])
"""


class Cluster:
    """`python` is one that has psycopg2."""

    def __init__(self, python: Path):
        self.python, self.url = python, os.environ[CLUSTER]
        self.pid = self.ask()

    def ask(self, *names: str) -> int:
        done = subprocess.run([self.python, "-c", ASK, self.url, *names], stdout=subprocess.PIPE, text=True)
        if done.returncode:
            raise RuntimeError("the PostgreSQL beside us does not answer")
        return int(done.stdout)

    def new_database(self, name: str) -> str:
        """Its address."""
        self.ask(name)
        return f"{self.url.rpartition('/')[0]}/{name}"
