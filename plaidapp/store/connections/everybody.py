"""People and connections, all of them, for the operator. Nothing here tells what is in accounts."""

from typing import Any

from sqlalchemy import Select, func, select

from ..people.users import User
from .item import Item
from .item_states import ENDED


def people() -> Select[*tuple[Any, ...]]:
    """One row for each person, in the order of their ids. Somebody who is leaving has no name."""
    theirs = select(func.count()).where(Item.user_id == User.id, Item.state.not_in(ENDED))
    return select(
        User.id,
        User.username.label("name"),
        User.created_at.label("joined"),
        theirs.scalar_subquery().label("connections"),
        User.leaving_since.is_not(None).label("leaving"),
    ).order_by(User.id)


def connections(state: str | None, user_id: int | None) -> Select[*tuple[Any, ...]]:
    """One row for each connection: of this state, and of this person, if they are given."""
    query = select(
        Item.id,
        User.username.label("person"),
        Item.institution_name.label("bank"),
        Item.state,
        Item.error_code.label("code"),
        Item.synced_at.label("synced"),
        Item.created_at.label("connected"),
    ).join(User, User.id == Item.user_id)
    if state is not None:
        query = query.where(Item.state == state)
    if user_id is not None:
        query = query.where(Item.user_id == user_id)
    return query.order_by(Item.id)
