"""Accounts: what one Item holds, with the balances last heard."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import cast

from sqlalchemy import ForeignKey, Select, Table, Text, UniqueConstraint, bindparam, select, update
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp.bank import payloads
from plaidapp.extensions import Base, Columns, db

from ..base.types import BigId, Moment, Money, now
from ..base.upsert import upsert
from . import balances
from .items import Item


class Account(Base):
    """Balances as Plaid gives them: what is owed on credit and loans is positive.

    https://plaid.com/docs/api/accounts/#accounts-get-response-accounts-balances
    """

    __tablename__ = "account"
    __table_args__ = (UniqueConstraint("item_id", "plaid_account_id"),)

    id: Mapped[BigId]
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id", ondelete="CASCADE"))
    plaid_account_id: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    official_name: Mapped[str | None] = mapped_column(Text)
    mask: Mapped[str | None] = mapped_column(Text)
    persistent_account_id: Mapped[str | None] = mapped_column(Text)
    type: Mapped[str] = mapped_column(Text)
    subtype: Mapped[str | None] = mapped_column(Text)
    available: Mapped[Decimal | None] = mapped_column(Money)
    current: Mapped[Decimal | None] = mapped_column(Money)
    limit: Mapped[Decimal | None] = mapped_column(Money)
    iso_currency_code: Mapped[str | None] = mapped_column(Text)
    unofficial_currency_code: Mapped[str | None] = mapped_column(Text)
    updated_at: Mapped[datetime] = mapped_column(Moment)
    closed_at: Mapped[datetime | None] = mapped_column(Moment)

    @property
    def currency(self) -> str | None:
        return self.iso_currency_code or self.unofficial_currency_code

    @property
    def owes(self) -> bool:
        """Is a positive balance what is owed?"""
        return self.type in ("credit", "loan")


TABLE = cast(Table, Account.__table__)


def save(user_id: int, item_id: int, accounts: Sequence[payloads.Account]) -> set[tuple[int, date]]:
    """Adds and updates what the bank listed; what it no longer lists is left as it was.

    Each balance is kept as today's, too (in UTC). Returns the account and day of those of which
    that was news: `rollups.refresh` wants to hear of them.
    """
    ids = lock(item_id)
    moment = now()
    upsert(
        TABLE,
        ("item_id", "plaid_account_id"),
        [
            {
                "user_id": user_id,
                "item_id": item_id,
                "plaid_account_id": account.account_id,
                "name": account.name,
                "official_name": account.official_name,
                "mask": account.mask,
                "persistent_account_id": account.persistent_account_id,
                "type": account.type,
                "subtype": account.subtype,
                "available": account.balances.available,
                "current": account.balances.current,
                "limit": account.balances.limit,
                "iso_currency_code": account.balances.iso_currency_code,
                "unofficial_currency_code": account.balances.unofficial_currency_code,
                "updated_at": moment,
                "closed_at": None,
            }
            for account in accounts
        ],
    )
    if any(account.account_id not in ids for account in accounts):
        ids = ids_of_item(item_id)
    said = {
        ids[account.account_id]: account.balances.current
        for account in accounts
        if account.balances.current is not None
    }
    return {(account_id, moment.date()) for account_id in balances.record(moment.date(), said)}


_IDS = select(Account.plaid_account_id, Account.id).where(Account.item_id == bindparam("item_id"))
_LOCKED = _IDS.order_by(Account.id).with_for_update(key_share=True)


def lock(item_id: int) -> dict[str, int]:
    """Until the commit nobody else changes what hangs on the Item's accounts. Returns their ids.

    Balances and totals are worked out from all rows of an account: of two who change some at once,
    the second has to see what the first one did. SQLite needs no lock: whoever may write is alone.
    """
    return _ids(_LOCKED, item_id)


_CLOSE_MISSING = (
    update(TABLE)
    .where(
        TABLE.c.item_id == bindparam("of_item"),
        TABLE.c.closed_at.is_(None),
        TABLE.c.plaid_account_id.not_in(bindparam("listed", expanding=True)),
    )
    .values(closed_at=bindparam("moment"))
)


def close_missing(item_id: int, accounts: Sequence[payloads.Account]) -> None:
    """Marks the Item's accounts that a complete list from the bank no longer names."""
    listed = [account.account_id for account in accounts]
    db.session.execute(_CLOSE_MISSING, {"of_item": item_id, "listed": listed, "moment": now()})


def close(item_id: int, plaid_account_id: str) -> None:
    """The person no longer shares this account."""
    db.session.execute(
        update(Account)
        .where(Account.item_id == item_id, Account.plaid_account_id == plaid_account_id)
        .values(closed_at=now())
        .execution_options(synchronize_session=False)
    )


def ids_of_item(item_id: int) -> dict[str, int]:
    """Our ids by Plaid's."""
    return _ids(_IDS, item_id)


def _ids(query: Select[str, int], item_id: int) -> dict[str, int]:
    rows = db.session.execute(query, {"item_id": item_id})
    return {plaid_id: ours for plaid_id, ours in rows}  # noqa: C416 dict() would not type


def of_item(item_id: int) -> Sequence[Account]:
    query = select(Account).where(Account.item_id == item_id).order_by(Account.id)
    return db.session.scalars(query).all()


def of_user(user_id: int) -> Sequence[Account]:
    """In the order the banks list them."""
    return db.session.scalars(_theirs(select(Account), user_id)).all()


def with_items(user_id: int) -> Iterator[tuple[Account, Item]]:
    """As `of_user`, each with its connection; also with one that was replaced, where an account
    stays that was closed before."""
    query = _theirs(select(Account, Item).join(Item, Item.id == Account.item_id), user_id)
    return ((account, item) for account, item in db.session.execute(query))


def _theirs(query: Select[*Columns], user_id: int) -> Select[*Columns]:
    return query.where(Account.user_id == user_id).order_by(Account.item_id, Account.id)
