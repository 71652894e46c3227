"""Save the database in a file, and put such a file in the place of the database."""

from pathlib import Path
from types import ModuleType

import redis
from flask import current_app
from sqlalchemy import inspect, select

from plaidapp import new_files, policy, schema
from plaidapp.extensions import db
from plaidapp.metrics.processes import processes
from plaidapp.store import User

from . import after_restore, postgresql_dump, sqlite_copy
from .errors import BackupError

KINDS: dict[str, ModuleType] = {"sqlite": sqlite_copy, "postgresql": postgresql_dump}
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def save(file: Path) -> None:
    """Write the database, as it is at one moment, to a new file that only its owner can read.

    The app may run meanwhile. The file appears when it is complete. Raises BackupError.
    """
    try:
        with new_files.written(file) as partial:
            _ours().save(partial)
    except FileExistsError:
        raise BackupError(f"{file} exists already. Name a file that does not exist.") from None
    except OSError as error:
        raise BackupError(f"{file} can't be written: {error.strerror}.") from None


def restore(file: Path, *, replace: bool) -> str:
    """Put a saved database in the place of the present one, in one transaction.

    Brings it up to date if an older version of plaidapp has saved it. Then asks for what has
    happened since: see `after_restore`. Returns the version that was saved. Raises BackupError; the
    present database then stays as it was.
    """
    _check_kind(file)
    version = _version_of(file)
    if not replace and _has_people():
        raise BackupError(
            "This database has people in it. Stop the app, save the database, then repeat this"
            " with --replace, which deletes all that is in it."
        )
    _check_stopped()
    db.session.remove()
    db.engine.dispose()  # no connection of ours may be in the way
    _ours().restore(file, after_restore.FORGET)
    if version != schema.newest():
        schema.upgrade()
    after_restore.ask_again()
    return version


def _check_kind(file: Path) -> None:
    kinds = {module.BEGINS_WITH: kind for kind, module in KINDS.items()}
    longest = max(map(len, kinds))
    try:
        with file.open("rb") as saved:
            begins = saved.read(longest)
    except OSError as error:
        raise BackupError(f"{file} can't be read: {error.strerror}.") from None
    kind = next((kind for begin, kind in kinds.items() if begins.startswith(begin)), None)
    if kind is None:
        raise BackupError(f"{file} is not a backup.")
    here = db.engine.dialect.name
    if kind != here:
        raise BackupError(
            f"{file} is a backup of {NAMES[kind]}, but DATABASE_URL names {NAMES[here]}."
        )


def _version_of(file: Path) -> str:
    version: str | None = _ours().version_of(file)
    if version is None or not version.isdecimal():
        raise BackupError(f"{file} is not a backup of plaidapp.")
    if int(version) > int(schema.newest()):
        raise BackupError(
            f"{file} has version {version} of the database, and this code only knows"
            f" {schema.newest()}. Restore it with the code that saved it, or with newer code."
        )
    return version


def _has_people() -> bool:
    is_migrated = inspect(db.engine).has_table(User.__tablename__)
    return is_migrated and db.session.scalar(select(User.id).limit(1)) is not None


def _check_stopped() -> None:
    """A process that runs would go on with what it knows of the present database."""
    try:
        running = {
            each.role for each in processes(current_app.extensions["redis"]) if each.is_alive
        }
    except redis.RedisError:  # then nobody can tell
        return
    if running:
        raise BackupError(
            f"The app is running: {', '.join(sorted(running))}. Stop it, then repeat this. What was"
            f" killed counts as running for {policy.PROCESS_GONE:.0f} seconds."
        )


def _ours() -> ModuleType:
    return KINDS[db.engine.dialect.name]
