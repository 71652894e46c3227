"""The accounts of an Item, with their latest balances."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple, cast

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Select,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp.bank import payloads
from plaidapp.extensions import Base, Columns, db
from plaidapp.name_case import in_normal_case

from ..base.currency import HasCurrency
from ..base.types import BigId, Moment, Money, now
from ..base.upsert import upsert
from ..base.writes import in_batches, write
from ..people import users
from . import account_types, balances
from .item import Item


class Account(HasCurrency, Base):
    """Balances are as Plaid gives them: the amount owed on a credit or loan account is positive.

    `closed_at` is when the account stopped being shared or the bank stopped listing it. `first_id`
    is Plaid's first id of an account that has another one since it was reconnected or merged, and
    `own_id` is the id that the present Item's account had before it was merged into this one.
    `name` and `official_name` are the bank's. `nickname`, `is_hidden` and `position` are the
    person's: a hidden account is left out of lists, totals and net worth, and accounts with a
    position come first, the lowest first (arranged_accounts.py).
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
    updated_at: Mapped[datetime] = mapped_column(Moment)
    closed_at: Mapped[datetime | None] = mapped_column(Moment)
    first_id: Mapped[str | None] = mapped_column(Text)
    own_id: Mapped[int | None] = mapped_column(BigInteger)
    nickname: Mapped[str | None] = mapped_column(Text)
    is_hidden: Mapped[bool] = mapped_column(default=False)
    position: Mapped[int | None]

    @property
    def title(self) -> str:
        """The person's own name for the account, or the bank's as a person would write it."""
        return self.nickname or in_normal_case(self.name)

    @property
    def exact_title(self) -> str:
        """The person's own name for the account, or the bank's as it came: for files."""
        return self.nickname or self.name

    @property
    def public_id(self) -> str:
        """Plaid's id by which programs know the account. It never changes."""
        return self.first_id or self.plaid_account_id

    @property
    def is_debt(self) -> bool:
        return account_types.is_debt(self.type)

    @property
    def is_beyond_checks(self) -> bool:
        """Return True if its value changes all the time, and without transactions."""
        return self.type in (account_types.INVESTMENT, account_types.BROKERAGE)

    @property
    def balance(self) -> Decimal | None:
        """`current`, or what stands in for it. None if the balance is unknown."""
        return account_types.balance_of(self.type, self.current, self.available, self.limit)


TABLE = cast(Table, Account.__table__)


class Saved(NamedTuple):
    """Our ids of all the Item's accounts by Plaid's, and the account and day of each balance that
    changed, for `derived.refresh`."""

    ids: Mapping[str, int]
    reported_days: set[tuple[int, date]]


def save(
    user_id: int,
    item_id: int,
    accounts: Sequence[payloads.PlaidAccount],
    known: Mapping[str, int] | None = None,
) -> Saved:
    """Add or update the accounts that the bank lists. Other accounts stay as they are.

    Also stores each balance as that of the person's day. The caller has locked the ledger
    (users.lock_ledger). `known` is what `ids_of_item` returns, if it has all of the accounts.
    """
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
    ids = ids_of_item(item_id) if known is None else known
    reported = {
        ids[account.account_id]: balance
        for account in accounts
        if (balance := _balance_of(account)) is not None
    }
    return Saved(ids, balances.record(users.today_of(user_id), reported))


def _balance_of(sent: payloads.PlaidAccount) -> Decimal | None:
    given = sent.balances
    return account_types.balance_of(sent.type, given.current, given.available, given.limit)


_IDS = select(Account.plaid_account_id, Account.id).where(Account.item_id == bindparam("item_id"))
_OPEN_IDS = _IDS.where(Account.closed_at.is_(None))


def close_missing(item_id: int, listed: Iterable[str]) -> None:
    """Close the Item's accounts that are missing from a complete list of Plaid's ids."""
    moment, kept = now(), set(listed)
    still_open = _ids(_OPEN_IDS, item_id)
    missing = [ours for plaid_id, ours in still_open.items() if plaid_id not in kept]
    for ids in in_batches(missing):
        write(update(Account).where(Account.id.in_(ids)).values(closed_at=moment))


def any_missing(item_id: int) -> bool:
    """Return True if the Item no longer shares an account that it shared before."""
    query = select(Account.id).where(Account.item_id == item_id, Account.closed_at.is_not(None))
    return db.session.scalar(query.limit(1)) is not None


def close(item_id: int, plaid_account_id: str) -> None:
    """Close an account that the person no longer shares."""
    write(
        update(Account)
        .where(Account.item_id == item_id, Account.plaid_account_id == plaid_account_id)
        .values(closed_at=now())
    )


def delete_of_item(item_id: int) -> None:
    """Delete the Item's accounts with everything that refers to them."""
    write(delete(Account).where(Account.item_id == item_id))


def owner(account_id: int) -> int:
    """Return the id of the person whose account it is."""
    return db.session.scalars(select(Account.user_id).where(Account.id == account_id)).one()


def ids_of_item(item_id: int) -> dict[str, int]:
    """Return our ids of the Item's accounts by Plaid's."""
    return _ids(_IDS, item_id)


def _ids(query: Select[str, int], item_id: int) -> dict[str, int]:
    rows = db.session.execute(query, {"item_id": item_id})
    return {plaid_id: ours for plaid_id, ours in rows}  # noqa: C416 dict() would not type


_ORDER = (Account.position.is_(None), Account.position, Account.item_id, Account.id)
"""As the person arranged them; then the others by Item, in the order of the banks' lists."""


def with_item(account_id: int, user_id: int) -> tuple[Account, Item] | None:
    """Return the person's account and its Item."""
    found = db.session.execute(
        select(Account, Item)
        .join(Item, Item.id == Account.item_id)
        .where(Account.id == account_id, Account.user_id == user_id)
    ).first()
    return found and (found[0], found[1])


def of_item(item_id: int) -> Sequence[Account]:
    """Return the Item's accounts in the person's order."""
    query = select(Account).where(Account.item_id == item_id).order_by(*_ORDER)
    return db.session.scalars(query).all()


def of_user(user_id: int) -> Sequence[Account]:
    """Return the person's accounts, hidden ones too, in their order."""
    return db.session.scalars(_THEIRS, {"user_id": user_id}).all()


def currencies(user_id: int) -> list[str]:
    """Return the currencies of the person's open accounts, those of the most accounts first."""
    currency, number = Account.currency, func.count()
    shown = Account.closed_at.is_(None), ~Account.is_hidden, currency.is_not(None)
    query = select(currency).where(Account.user_id == user_id, *shown).group_by(currency)
    found = db.session.scalars(query.order_by(number.desc(), currency))
    return [code for code in found if code]


def with_items(user_id: int) -> Iterator[tuple[Account, Item]]:
    """Yield what `of_user` returns, each account with its Item.

    The Item may be a replaced one: accounts that were closed earlier stay with it.
    """
    found = db.session.execute(_WITH_ITEMS, {"user_id": user_id})
    return ((account, item) for account, item in found)


def _theirs(query: Select[*Columns]) -> Select[*Columns]:
    return query.where(Account.user_id == bindparam("user_id")).order_by(*_ORDER)


# The dashboard asks, and making a query takes longer than running it.
_THEIRS = _theirs(select(Account))
_WITH_ITEMS = _theirs(select(Account, Item).join(Item, Item.id == Account.item_id))
