"""Find what an argument names. A wrong one is a wrong use: exit with 2 and one sentence."""

import click

from ..extensions import db
from ..store import Item, User
from ..store.people import users

MOST = 2**31 - 1
"""No id is above it, and PostgreSQL raises an error for larger numbers."""


def person(name: str) -> User:
    """Return the person with this username or email address."""
    user = users.by_name(name)
    if user is None:
        raise click.BadParameter("There is no such person.", param_hint="NAME")
    return user


def item(item_id: int) -> Item:
    found = db.session.get(Item, item_id) if 0 < item_id <= MOST else None
    if found is None:
        raise click.BadParameter(f"There is no Item {item_id}.", param_hint="ITEM")
    return found
