"""Runs the migrations on the app's own database; `flask --app wsgi db ...` comes through here."""

import logging
import time
from collections.abc import Iterable
from typing import Any

from alembic import context
from alembic.util import CommandError
from flask import current_app
from sqlalchemy.exc import OperationalError

from plaidapp import policy

log = logging.getLogger("alembic.runtime.migration")
LOCK_NOT_AVAILABLE, DEADLOCK_DETECTED = "55P03", "40P01"
db = current_app.extensions["migrate"].db

SEARCH = ("transaction_search", "ix_transaction_search")
"""The search index, which no model describes: a virtual table and its shadows, or a GIN index."""

SQLITE_ONLY = ("fk_transaction_user_id_user", "fk_transaction_item_id_item")
"""Foreign keys that 0001_initial creates on SQLite only, so no model has them."""

FORMER = ("words", "note_words")
"""Columns that only the release before 0009_search_pairs uses. The next release may drop them."""


def is_modelled(name: str | None, _kind: object, _parents: object) -> bool:
    return not (name or "").startswith(SEARCH) and name not in FORMER


def is_compared(_thing: object, name: str | None, _kind: str, stored: bool, _to: object) -> bool:
    return not (stored and name in SQLITE_ONLY and db.engine.dialect.name == "sqlite")


def number_revision(_context: object, _revision: object, directives: list[Any]) -> None:
    """Give a new migration the next number: `schema.newest` relies on it."""
    newest = context.script.get_current_head() or "0"
    for script in directives:
        script.rev_id = f"{int(newest) + 1:04d}"


def refuse_unknown(versions: Iterable[str]) -> None:
    known = {script.revision for script in context.script.walk_revisions()}
    if unknown := set(versions) - known:
        raise CommandError(
            f"This database has version {min(unknown)}, which is not among this code's migrations. "
            "Run the code that made it; or, if `make run` made it, delete instance/plaidapp.db "
            "and start again."
        )


def migrate() -> None:
    """Run the migrations that are left to run."""
    # It has limits of its own: see extensions/postgresql.py.
    with db.engine.connect().execution_options(migrates=True) as connection:
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            include_name=is_modelled,
            include_object=is_compared,
            process_revision_directives=number_revision,
            # What one migration did stays, even if the next one fails or builds an index outside
            # of any transaction.
            transaction_per_migration=True,
            **current_app.extensions["migrate"].configure_args,
        )
        refuse_unknown(context.get_context().get_current_heads())
        with context.begin_transaction():
            context.run_migrations()


def is_in_the_way(error: OperationalError) -> bool:
    """Has the app locked a table that the migration changes?"""
    return getattr(error.orig, "sqlstate", None) in (LOCK_NOT_AVAILABLE, DEADLOCK_DETECTED)


def migrate_when_possible() -> None:
    """Start over while the app is in the way: a migration must not make its requests wait."""
    deadline = time.monotonic() + policy.MIGRATION_PATIENCE
    while True:
        try:
            return migrate()
        except OperationalError as error:
            if not is_in_the_way(error) or time.monotonic() > deadline:
                raise
        log.info("A table is in use, so the migration starts over")
        time.sleep(policy.MIGRATION_PAUSE)


migrate_when_possible()
