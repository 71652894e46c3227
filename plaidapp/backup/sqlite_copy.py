"""Copies of an SQLite database, made while it is in use: https://sqlite.org/backup.html"""

import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from flask import current_app
from sqlalchemy import make_url

from plaidapp import policy

from .errors import BackupError

BEGINS_WITH = b"SQLite format 3\0"
EVERYTHING = -1
"""All pages in one step: one state of the database, and nobody who writes makes it start over."""


def save(file: Path) -> None:
    """Raises BackupError."""
    with _errors("The database can't be saved"), _open(_database(), "rw") as present:
        _copy(present, file)


def version_of(file: Path) -> str | None:
    """Return the version of a saved database. None if there is none. Raises BackupError."""
    with _errors(f"{file} is damaged"), _open(file, "ro") as saved:
        (verdict,) = saved.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise BackupError(f"{file} is damaged: {verdict}.")
        is_ours = saved.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'")
        if is_ours.fetchone() is None:
            return None
        (version,) = saved.execute("SELECT version_num FROM alembic_version").fetchone() or (None,)
        return version


def restore(file: Path, afterwards: Sequence[str]) -> None:
    """Write the saved database over the present one in one transaction. Raises BackupError."""
    with (
        _errors("The database can't be restored"),
        tempfile.TemporaryDirectory(prefix=".restore-", dir=_database().parent) as directory,
        _open(file, "ro") as saved,
    ):
        changed = Path(directory) / "changed.db"
        changed.touch(mode=0o600)
        _copy(saved, changed)
        with _open(changed, "rw") as copy, copy:
            for statement in afterwards:
                copy.execute(statement)
        with _open(changed, "ro") as copy, _open(_database(), "rw") as present:
            copy.backup(present, pages=EVERYTHING, progress=_give_up_if_locked)


def _copy(source: sqlite3.Connection, file: Path) -> None:
    with _open(file, "rw") as target:
        source.backup(target, pages=EVERYTHING, progress=_give_up_if_locked)
        target.execute("PRAGMA journal_mode=DELETE")  # so that it is one file


def _give_up_if_locked(status: int, _left: int, _total: int) -> None:
    """Python would try without end. It calls this after each try, which has waited already."""
    if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        raise BackupError("The database is in use. Stop the app, then repeat this.")


def _database() -> Path:
    url = make_url(current_app.config["SQLALCHEMY_DATABASE_URI"])
    return Path(url.database or "").absolute()


@contextmanager
def _open(file: Path, mode: str) -> Iterator[sqlite3.Connection]:
    address = f"file:{quote(str(file.absolute()))}?mode={mode}"
    with closing(sqlite3.connect(address, policy.RESTORE_WAITS, uri=True)) as connection:
        yield connection


@contextmanager
def _errors(what: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise BackupError(f"{what}: {error}.") from None
