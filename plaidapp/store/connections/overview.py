"""What operators see of everybody's Items: how many are in each state, and which have an error.

Nobody's money or name is in it.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select

from plaidapp.extensions import db

from .item import Item


def by_state() -> dict[str, int]:
    """Return how many Items are in each state that any is in."""
    query = select(Item.state, func.count()).group_by(Item.state)
    return dict(db.session.execute(query).all())


def in_state(state: str, limit: int, before: int | None = None) -> Sequence[Item]:
    """Return Items in this state, the newest first, of those with an id below `before`."""
    query = select(Item).where(Item.state == state)
    if before is not None:
        query = query.where(Item.id < before)
    return db.session.scalars(query.order_by(Item.id.desc()).limit(limit)).all()


def oldest_since(states: Sequence[str]) -> datetime | None:
    """Return since when there is an Item that is in one of these states now."""
    query = select(Item.created_at).where(Item.state.in_(states))
    return db.session.scalar(query.order_by(Item.id).limit(1))


def refused_products(code: str, most: int) -> list[str]:
    """Return the products that Plaid refused with this code for one of the newest `most` Items."""
    columns = {
        "recurring_transactions": Item.streams_refusal,
        "balance": Item.balances_refusal,
        "transactions_refresh": Item.refresh_refusal,
    }
    rows = db.session.execute(select(*columns.values()).order_by(Item.id.desc()).limit(most)).all()
    codes = zip(columns, zip(*rows, strict=True), strict=False)
    return [product for product, of_product in codes if code in of_product]


def newest(states: Sequence[str]) -> Item | None:
    """Return the newest Item in one of these states that has a token."""
    query = select(Item).where(Item.state.in_(states), Item.access_token != b"")
    return db.session.scalars(query.order_by(Item.id.desc()).limit(1)).first()
