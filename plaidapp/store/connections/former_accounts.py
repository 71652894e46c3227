"""The accounts that an Item names but that are read from another Item.

An account is read from one Item. It may have come from an earlier one, when a person connected the
bank again. Or two log-ins share it, as with a joint account, and both Items list it: then the other
Item stands by, and takes over when the present one stops (standby.py).
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Select,
    Text,
    bindparam,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp.extensions import Base, db

from ..base.types import Moment, now
from ..base.writes import write
from . import item_states
from .accounts import Account
from .item import Item


class FormerAccount(Base):
    """Plaid's id of an account at an Item that it is not read from: its rows there are ignored.

    `told` is the account as that Item last named it (JSON of payloads.PlaidAccount), and `left_at`
    is when the account went to another Item. `ended_at` is when this Item stopped listing it.
    `own_id` is the id that the account had here if it was merged into one with another id.
    """

    __tablename__ = "former_account"

    item_id: Mapped[int] = mapped_column(
        ForeignKey("item.id", ondelete="CASCADE"), primary_key=True
    )
    plaid_account_id: Mapped[str] = mapped_column(Text, primary_key=True)
    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    told: Mapped[str | None] = mapped_column(Text)
    left_at: Mapped[datetime | None] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    own_id: Mapped[int | None] = mapped_column(BigInteger)


_DEPARTED = select(FormerAccount.plaid_account_id).where(
    FormerAccount.item_id == bindparam("item_id")
)


def departed_ids(item_id: int) -> set[str]:
    """Return Plaid's ids of the accounts that are read from another Item than this one."""
    return set(db.session.scalars(_DEPARTED, {"item_id": item_id}))


def count_reconnected(item_id: int) -> int:
    """Return how many of the Item's accounts came from another Item."""
    query = select(func.count(func.distinct(Account.id))).join(
        FormerAccount, FormerAccount.account_id == Account.id
    )
    return db.session.scalar(query.where(Account.item_id == item_id)) or 0


def successor(item_id: int) -> int | None:
    """Return the Item that has this Item's accounts now, or the newest of several."""
    query = select(func.max(Account.item_id)).join(
        FormerAccount, FormerAccount.account_id == Account.id
    )
    return db.session.scalar(query.where(FormerAccount.item_id == item_id))


def former_items(item_id: int) -> Sequence[int]:
    """Return the Items that the Item's accounts came from."""
    return db.session.scalars(
        select(FormerAccount.item_id)
        .join(Account, Account.id == FormerAccount.account_id)
        .where(Account.item_id == item_id, FormerAccount.item_id != item_id)
        .distinct()
    ).all()


# Made once: each sync asks.
_REPLACED = (
    select(Item.id)
    .join(FormerAccount, FormerAccount.item_id == Item.id)
    .join(Account, Account.id == FormerAccount.account_id)
    .where(
        Account.item_id == bindparam("item_id"),
        Item.state == item_states.REPLACED,
        Item.access_token != b"",
    )
    .distinct()
)


def replaced_items(item_id: int) -> Sequence[int]:
    """Return the Items that this one has replaced and that still exist at Plaid."""
    return db.session.scalars(_REPLACED, {"item_id": item_id}).all()


def only_recognized(item_id: int) -> Sequence[Account]:
    """Return the Item's accounts that came from another Item because of how the bank lists them.

    Without those that have a persistent id or that were merged.
    """
    query = select(Account).join(FormerAccount, FormerAccount.account_id == Account.id)
    recognized = Account.persistent_account_id.is_(None), Account.own_id.is_(None)
    return db.session.scalars(
        query.where(Account.item_id == item_id, *recognized, FormerAccount.own_id.is_(None))
        .distinct()
        .order_by(Account.id)
    ).all()


def separable(user_id: int) -> set[int]:
    """Return the person's accounts that more than one Item has named."""
    query = select(Account.id).join(FormerAccount, FormerAccount.account_id == Account.id)
    return set(db.session.scalars(query.where(Account.user_id == user_id)))


def of_account(account_id: int) -> Sequence[FormerAccount]:
    """Return where else the account was or is named, the latest that it left first."""
    query = select(FormerAccount).where(FormerAccount.account_id == account_id)
    return db.session.scalars(
        query.order_by(FormerAccount.left_at.desc(), FormerAccount.item_id.desc())
    ).all()


def shared(user_id: int) -> dict[int, list[Account]]:
    """Return, by Item, the open accounts that it lists but that are read from another Item."""
    query = select(FormerAccount.item_id, Account).join(
        Account, Account.id == FormerAccount.account_id
    )
    lists = FormerAccount.ended_at.is_(None), Account.closed_at.is_(None)
    found: dict[int, list[Account]] = {}
    for item_id, account in db.session.execute(
        query.where(Account.user_id == user_id, *lists).order_by(Account.id)
    ):
        found.setdefault(item_id, []).append(account)
    return found


def merged() -> Select[int]:
    """Return the query for the ids of accounts that were two accounts before."""
    query = select(FormerAccount.account_id).join(Account, Account.id == FormerAccount.account_id)
    return query.where(or_(Account.own_id.is_not(None), FormerAccount.own_id.is_not(None)))


_LISTED = FormerAccount.plaid_account_id.in_(bindparam("listed", expanding=True))
_OF_ITEM = FormerAccount.item_id == bindparam("of_item")
_END_MISSING = (
    update(FormerAccount)
    .where(_OF_ITEM, ~_LISTED, FormerAccount.ended_at.is_(None))
    .values(ended_at=bindparam("moment"))
)
_LISTED_AGAIN = (
    update(FormerAccount)
    .where(_OF_ITEM, _LISTED, FormerAccount.ended_at.is_not(None))
    .values(ended_at=None)
)


def note_listed(item_id: int, listed: Collection[str]) -> None:
    """Note which of its former accounts are missing from the Item's complete list of ids."""
    ids = list(listed)
    if departed_ids(item_id):
        write(_END_MISSING, {"of_item": item_id, "listed": ids, "moment": now()})
        write(_LISTED_AGAIN, {"of_item": item_id, "listed": ids})


def end(item_id: int, plaid_account_id: str) -> None:
    """Note that the person no longer shares this account with the Item."""
    write(
        update(FormerAccount)
        .where(
            FormerAccount.item_id == item_id,
            FormerAccount.plaid_account_id == plaid_account_id,
            FormerAccount.ended_at.is_(None),
        )
        .values(ended_at=now())
    )
