"""Runs the migrations on the app's own database; `flask --app wsgi db ...` comes through here."""

from alembic import context
from flask import current_app

db = current_app.extensions["migrate"].db

SEARCH = ("transaction_search", "ix_transaction_words")
"""The search index, which no model describes: a virtual table and its shadows, or a GIN index."""


def is_modelled(name: str | None, _kind: object, _parents: object) -> bool:
    return not (name or "").startswith(SEARCH)


def is_compared(_thing: object, name: str | None, _kind: str, stored: bool, _to: object) -> bool:
    """All but what 0009 left on SQLite."""
    left = ("fk_transaction_user_id_user", "fk_transaction_item_id_item")
    return not (stored and name in left and db.engine.dialect.name == "sqlite")


with db.engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=db.metadata,
        include_name=is_modelled,
        include_object=is_compared,
        **current_app.extensions["migrate"].configure_args,
    )
    with context.begin_transaction():
        context.run_migrations()
