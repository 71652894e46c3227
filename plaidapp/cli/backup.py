"""Save the database in a file, and restore it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from flask.cli import with_appcontext
from sqlalchemy.exc import SQLAlchemyError

from .. import policy, schema
from ..backup import copies
from ..backup.errors import BackupError
from ..events import event
from ..jobs.connections import rotation

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=FILE)
@with_appcontext
def backup(file: Path) -> None:
    """Save the database in FILE, which must not exist. The app may run meanwhile.

    TOKEN_KEYS is not in it: keep the keys elsewhere, because nothing reads the banks without them.
    """
    event("operator", command="backup")
    with _told():
        copies.save(file)
    click.echo(f"Saved in {file}: {file.stat().st_size:,} bytes.")


@click.command()
@click.argument("file", type=FILE)
@click.option("--replace", is_flag=True, help="Delete what is in the database now.")
@with_appcontext
def restore(file: Path, *, replace: bool) -> None:
    """Restore what `backup` has saved in FILE. Stop web, worker and clock first.

    Everybody has to log in again. Each connection is synced from where it was.
    """
    event("operator", command="restore --replace" if replace else "restore")
    with _told():
        version = copies.restore(file, replace=replace)
    if version != schema.newest():
        click.echo(f"It was version {version}, and is {schema.newest()} now.")
    tried, unreadable = rotation.sample(policy.SECRETS_TRIED)
    if unreadable:
        click.echo(
            f"TOKEN_KEYS does not decrypt {unreadable} of {tried} secrets that were tried. Put the"
            " keys of that time there, or see docs/backup.md."
        )
    click.echo("Restored. Everybody has to log in again, and every bank is asked what is new.")


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except BackupError as error:
        raise click.ClickException(str(error)) from None
    except SQLAlchemyError as error:
        problem = f"The database can't be used: {type(error).__name__}."
        raise click.ClickException(problem) from None
