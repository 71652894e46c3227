"""The code of the version before, and the processes of either version on one database."""

import os
import socket
import sqlite3
import subprocess
import sys
import tarfile
from contextlib import closing
from io import BytesIO
from pathlib import Path

from sqlalchemy import text

from plaidapp.store.connections.item_states import COMPLETE
from tests.e2e.processes import Running

from .databases import Postgres
from .world import ROOT, World, poll

MIGRATIONS = "plaidapp/migrations/versions"
INHERIT = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ |= {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())}
os.execvp(sys.argv[2], sys.argv[2:])
"""
"""Gives a process a socket as systemd's socket units do."""
FLASK = [sys.executable, "-m", "flask", "--app", "wsgi"]
ROLES = {
    "web": [sys.executable, "-c", INHERIT, "SOCKET", sys.executable, "-m", "gunicorn", "wsgi:app"],
    "worker": [sys.executable, "worker.py"],
    "clock": [*FLASK, "clock"],
}
STOPS_WITHIN = 120


def git(*words: str) -> bytes | None:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True)
    return done.stdout if done.returncode == 0 else None


def commit_before() -> str | None:
    """Return the newest commit with another newest migration, or what UPGRADE_FROM names.

    None without Git, or in a clone that is too shallow.
    """
    if named := os.environ.get("UPGRADE_FROM"):
        return named
    changed = git("rev-list", "-1", "--first-parent", "HEAD", "--", MIGRATIONS)
    before = changed and git("rev-parse", "--verify", "--quiet", f"{changed.decode().strip()}^")
    return before.decode().strip() if before else None


def unpack(commit: str, directory: Path) -> None:
    packed = git("archive", commit)
    assert packed, f"Git does not know {commit}"
    with tarfile.open(fileobj=BytesIO(packed)) as files:
        files.extractall(directory, filter="data")


class Site(World):
    """A site that begins with the code in `old`. Its web process inherits its socket.

    Until it is upgraded, the database has the tables of the old code, so only SQL reads it here.
    """

    def __init__(self, directory: Path, database: Postgres, old: Path) -> None:
        self.old = old
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=2048)
        self._running: dict[tuple[str, Path], Running] = {}
        super().__init__(directory, database)

    def _web_port(self) -> int:
        port: int = self._socket.getsockname()[1]
        return port

    def _migrate(self) -> None:
        self.migrate(self.old)

    def migrate(self, code: Path) -> None:
        log = self.directory / f"release-{code.name}.log"
        release = Running([*FLASK, "db", "upgrade"], log, self.env, code)
        assert release.wait(STOPS_WITHIN) == 0, log.read_text()

    def start(self) -> None:
        self.start_services()
        for role in ROLES:
            self.begin(role, self.old)
        poll(self.is_ready, 60, "a ready app")

    def begin(self, role: str, code: Path) -> None:
        """Start a process of this code. One of the other code may still run."""
        log, number = self.directory / f"{role}-{code.name}.log", self._socket.fileno()
        command = [word.replace("SOCKET", str(number)) for word in ROLES[role]]
        self._running[role, code] = Running(command, log, self.env, code, (number,))

    def end(self, role: str, code: Path) -> None:
        """Ask it to stop, as a host does, and wait until it has."""
        running = self._running.pop((role, code))
        running.terminate()
        assert running.wait(STOPS_WITHIN) == 0, running.log.read_text()[-3000:]
        running.kill()

    def token(self, item_id: int) -> str:
        query = "SELECT access_token FROM item WHERE item_id = ?"
        with closing(sqlite3.connect(self.bank_state, timeout=10)) as state:
            return str(state.execute(query, (self.plaid_item_id(item_id),)).fetchone()[0])

    def plaid_item_id(self, item_id: int) -> str:
        with self.engine.connect() as connection:
            query = text("SELECT plaid_item_id FROM item WHERE id = :id")
            return str(connection.scalar(query, {"id": item_id}))

    def item_ids(self) -> list[int]:
        with self.engine.connect() as connection:
            return list(connection.scalars(text("SELECT id FROM item ORDER BY id")))

    def are_synced(self) -> bool:
        """Has every Item its whole history?"""
        query = text("SELECT update_status, sync_applied >= sync_requested FROM item")
        with self.engine.connect() as connection:
            return set(map(tuple, connection.execute(query))) == {(COMPLETE, True)}

    def close(self) -> None:
        for running in self._running.values():
            running.stop()
        self._socket.close()
        super().close()
