"""The version of the database schema, and the commands that migrate it.

Alembic is only loaded to migrate. It would add a tenth to the memory of every other process.
"""

from pathlib import Path
from typing import Any

import click
from flask import Flask
from sqlalchemy import inspect, text
from werkzeug.local import LocalProxy

from .extensions import db

MIGRATIONS = Path(__file__).parent / "migrations"


def init_app(app: Flask) -> None:
    app.extensions["migrate"] = LocalProxy(lambda: _flask_migrate(app))
    app.cli.add_command(_db)


@click.command("db", add_help_option=False, context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def _db(context: click.Context, arguments: tuple[str, ...]) -> None:
    """Migrate the database with Flask-Migrate; `flask --app wsgi db --help` lists the commands."""
    from flask_migrate.cli import db as commands

    with commands.make_context("db", list(arguments), parent=context.parent) as inner:
        commands.invoke(inner)


def _flask_migrate(app: Flask) -> Any:
    from flask_migrate import Migrate

    with app.app_context():
        is_sqlite = db.engine.dialect.name == "sqlite"  # which changes a table by copying it
    Migrate(app, db, directory=str(MIGRATIONS), render_as_batch=is_sqlite)
    return app.extensions["migrate"]


def newest() -> str:
    """Return the version that this code needs: the number of the last migration's file."""
    return max(path.name for path in MIGRATIONS.glob("versions/*.py")).partition("_")[0]


def current() -> str | None:
    """Return the version that the database has, or None. Raises SQLAlchemyError."""
    if not inspect(db.session.connection()).has_table("alembic_version"):
        return None
    version: str | None = db.session.scalar(text("SELECT version_num FROM alembic_version"))
    return version


def upgrade() -> None:
    """Migrate the database to the newest version."""
    from flask_migrate import upgrade

    upgrade()
