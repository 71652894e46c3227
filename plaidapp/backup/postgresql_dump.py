"""Dumps of a PostgreSQL database, made and restored by PostgreSQL's own programs.

pg_dump reads one snapshot, so the app may run meanwhile. No password is on a command line.
https://www.postgresql.org/docs/current/app-pgdump.html
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from subprocess import PIPE, Popen
from typing import IO, cast

from sqlalchemy import URL, inspect

from plaidapp import policy
from plaidapp.extensions import db

from .errors import BackupError

BEGINS_WITH = b"PGDMP"
NOT_OURS = ("--no-owner", "--no-privileges")
"""Roles have other names elsewhere: whoever restores owns the tables."""
VERSIONS = "alembic_version"
REMEDY = "Install PostgreSQL's client programs"


def save(file: Path) -> None:
    """Raises BackupError."""
    _check_age("pg_dump")
    tables = [f"--table={_schema()}.{_quoted(table)}" for table in _tables()]
    if not tables:
        raise BackupError("There is nothing to save: the database was never migrated.")
    options = "--format=custom", *NOT_OURS, f"--file={file}", *tables
    _run("pg_dump", *options, f"--dbname={_address()}")


def version_of(file: Path) -> str | None:
    """Return the version of a saved database. None if there is none. Raises BackupError."""
    options = "--data-only", f"--table={VERSIONS}", "--file=-", str(file)
    found = re.search(r"^COPY .* FROM stdin;\n(\S+)$", _run("pg_restore", *options), re.MULTILINE)
    return found and found[1]


def restore(file: Path, afterwards: Sequence[str]) -> None:
    """Replace this app's tables in one transaction. Raises BackupError.

    psql ends at the first error, and only the COMMIT at the end of its script changes anything. Its
    terse errors quote no values of rows.
    """
    dropped = [f"DROP TABLE {_schema()}.{_quoted(table)} CASCADE" for table in _tables()]
    before = ["BEGIN", f"SET LOCAL lock_timeout = '{policy.RESTORE_WAITS}s'", *dropped]
    after = ["RESET search_path", *afterwards, "COMMIT"]
    options = "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--set=VERBOSITY=terse"
    command = [_program("psql"), *options, "--output=/dev/null", f"--dbname={_address()}"]
    unpack = [_program("pg_restore"), *NOT_OURS, "--file=-", str(file)]
    with tempfile.TemporaryFile() as told:
        psql = Popen(command, stdin=PIPE, stderr=told, env=_environment())  # noqa: S603
        with suppress(BrokenPipeError), psql:
            script = cast(IO[bytes], psql.stdin)
            script.write(_lines(before))
            script.flush()
            unpacked = subprocess.run(unpack, stdout=script, stderr=PIPE)  # noqa: S603
            if unpacked.returncode == 0:
                script.write(_lines(after))
        if psql.returncode != 0:  # pg_restore then only says that nobody listened
            told.seek(0)
            raise BackupError(_sentence("psql", told.read()))
    if unpacked.returncode != 0:
        raise BackupError(_sentence("pg_restore", unpacked.stderr))


def _run(program: str, *options: str) -> str:
    """Return what the program prints. Raises BackupError."""
    command = [_program(program), *options]
    done = subprocess.run(command, capture_output=True, env=_environment())  # noqa: S603
    if done.returncode != 0:
        raise BackupError(_sentence(program, done.stderr))
    return done.stdout.decode(errors="replace")


def _sentence(program: str, told: bytes) -> str:
    lines = told.decode(errors="replace").strip().splitlines() or ["it does not say why"]
    first = next((line for line in lines if "error" in line.lower()), lines[0])
    if "lock timeout" in first:
        return "The database is in use. Stop the app, then repeat this."
    return f"{program} has failed: {first.removeprefix(f'{program}: ')}"


def _program(name: str) -> str:
    """Return the path of one of PostgreSQL's programs. Raises BackupError if there is none."""
    path = shutil.which(name)
    if path is None:
        raise BackupError(f"{name} is missing. {REMEDY}.")
    return path


def _check_age(program: str) -> None:
    """Raises BackupError if the program is older than the server, which it then does not know."""
    with db.engine.connect() as connection:
        server = cast(tuple[int, ...], connection.dialect.server_version_info)[0]
    found = re.search(r"\d+", _run(program, "--version"))
    if found and int(found[0]) < server:
        raise BackupError(
            f"{program} is version {found[0]}, but the server is version {server}."
            f" {REMEDY} of version {server} or later."
        )


def _tables() -> list[str]:
    """Return the names of this app's tables that exist. Others may be in the database too."""
    ours = {VERSIONS, *db.metadata.tables}
    return sorted(ours.intersection(inspect(db.engine).get_table_names()))


def _schema() -> str:
    name = inspect(db.engine).default_schema_name
    return _quoted(name or "public")


def _quoted(name: str) -> str:
    return f'"{name}"'


def _lines(statements: Sequence[str]) -> bytes:
    return "".join(f"{statement};\n" for statement in statements).encode()


def _address() -> str:
    """Return the address of the database without its password."""
    given = db.engine.url.difference_update_query(["password"])
    where = given.host, given.port, given.database, given.query
    return URL.create("postgresql", given.username, None, *where).render_as_string()


def _environment() -> dict[str, str]:
    """Other users of the machine can read a command line, but not the environment."""
    _, options = db.engine.dialect.create_connect_args(db.engine.url)
    password = options.get("password")
    return os.environ | ({"PGPASSWORD": password} if password else {})
