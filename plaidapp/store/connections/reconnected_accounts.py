"""Reconnecting: a person connects a bank again, and nothing is stored twice.

Plaid creates a new Item with new ids for every account and transaction, and does not say that they
are the old ones: https://plaid.com/docs/link/duplicate-items/. Here, an account that is the same
stays the same row: it moves to the new Item together with everything stored about it. An Item that
has no open account left is replaced, and a pull removes it at Plaid. The transactions follow one by
one (transactions/reconnected_rows.py).

Accounts are saved while the person's ledger is locked (users.lock_ledger).
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from itertools import groupby
from typing import NamedTuple, Protocol, TypeVar

from sqlalchemy import ForeignKey, Text, bindparam, func, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp.bank import payloads
from plaidapp.extensions import Base, db

from ..base.writes import write
from . import accounts, items
from .accounts import Account
from .items import Item


class FormerAccount(Base):
    """Plaid's id of an account at an Item that it has left. That Item's data on it is ignored."""

    __tablename__ = "former_account"

    item_id: Mapped[int] = mapped_column(
        ForeignKey("item.id", ondelete="CASCADE"), primary_key=True
    )
    plaid_account_id: Mapped[str] = mapped_column(Text, primary_key=True)
    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True
    )


_DEPARTED = select(FormerAccount.plaid_account_id).where(
    FormerAccount.item_id == bindparam("item_id")
)


def departed_ids(item_id: int) -> set[str]:
    """Return Plaid's ids of the accounts that have left this Item."""
    return set(db.session.scalars(_DEPARTED, {"item_id": item_id}))


def without_departed(
    item_id: int, listed: Sequence[payloads.PlaidAccount]
) -> list[payloads.PlaidAccount]:
    """Return the listed accounts that have not left this Item."""
    departed = departed_ids(item_id)
    return [sent for sent in listed if sent.account_id not in departed]


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


class SavedAccounts(NamedTuple):
    """`changed` has the account and day of each balance that changed.

    `replaced` has the Items that have no open account left and are to be removed at Plaid.
    """

    changed: set[tuple[int, date]]
    replaced: Sequence[int]


def save_accounts(
    user_id: int, item_id: int, listed: Sequence[payloads.PlaidAccount]
) -> SavedAccounts:
    """Save accounts as `accounts.save` does, after moving those known from another Item here.

    `listed` is what `without_departed` returns.
    """
    known = accounts.ids_of_item(item_id)
    new = [sent for sent in listed if sent.account_id not in known]
    replaced = _reconnect(user_id, item_id, new) if new else []
    return SavedAccounts(accounts.save(user_id, item_id, listed), replaced)


def _reconnect(user_id: int, item_id: int, new: Sequence[payloads.PlaidAccount]) -> list[int]:
    """Move known accounts to this Item. Returns the Items that this replaces."""
    sources = set()
    for stored in _accounts_elsewhere(user_id, item_id):
        for account, sent in _same(stored, new):
            sources.add(account.item_id)
            new = [other for other in new if other is not sent]
            _move(account, item_id, sent.account_id)
    replaced = [source for source in sorted(sources) if not _has_open_account(source)]
    for source in replaced:
        items.replace(source)
    return replaced


def _has_open_account(item_id: int) -> bool:
    query = select(Account.id).where(Account.item_id == item_id, Account.closed_at.is_(None))
    return db.session.scalar(query.limit(1)) is not None


class StoredAccount(NamedTuple):
    """What is needed to recognize an account and to move it."""

    id: int
    item_id: int
    plaid_account_id: str
    is_closed: bool
    persistent_account_id: str | None
    type: str
    subtype: str | None
    mask: str | None
    name: str


class Features(Protocol):
    """What a stored account and one that the bank lists are compared by."""

    @property
    def persistent_account_id(self) -> str | None: ...
    @property
    def type(self) -> str: ...
    @property
    def subtype(self) -> str | None: ...
    @property
    def mask(self) -> str | None: ...
    @property
    def name(self) -> str: ...


A = TypeVar("A", bound=Features)


def _accounts_elsewhere(user_id: int, item_id: int) -> Iterator[list[StoredAccount]]:
    """Yield the person's other accounts at this bank, an Item at a time.

    Open accounts come first, and the newest Item comes first.
    """
    institution = select(Item.institution_id).where(Item.id == item_id).scalar_subquery()
    is_closed = Account.closed_at.is_not(None)
    rows = db.session.execute(
        select(
            *(Account.id, Account.item_id, Account.plaid_account_id, is_closed),
            *(Account.persistent_account_id, Account.type, Account.subtype),
            *(Account.mask, Account.name),
        )
        .join(Item)
        .where(Item.user_id == user_id, Item.id != item_id, Item.institution_id == institution)
        .order_by(is_closed, Account.item_id.desc(), Account.id)
    ).all()
    stored = (StoredAccount(*row) for row in rows)
    for _, group in groupby(stored, key=lambda account: (account.is_closed, account.item_id)):
        yield list(group)


def _persistent_id(account: Features) -> object:
    return account.persistent_account_id


def _description(account: Features) -> object:
    """None without a mask: too many accounts are just called "IRA"."""
    return account.mask and (account.type, account.subtype, account.mask, account.name)


def _same(
    stored: Sequence[StoredAccount], listed: Sequence[payloads.PlaidAccount]
) -> Iterator[tuple[StoredAccount, payloads.PlaidAccount]]:
    """Yield pairs that are the same account.

    They have the same persistent id, or the same description that no other account has. Two
    accounts with different persistent ids are never the same.
    """
    by_id = _pairs(stored, listed, _persistent_id)
    yield from by_id
    matched = {account.id for account, _ in by_id}
    matched_ids = {sent.account_id for _, sent in by_id}
    for account, sent in _pairs(stored, listed, _description):
        both_have_ids = account.persistent_account_id and sent.persistent_account_id
        is_matched = account.id in matched or sent.account_id in matched_ids
        if not is_matched and not both_have_ids:
            yield account, sent


def _pairs(
    stored: Sequence[StoredAccount],
    listed: Sequence[payloads.PlaidAccount],
    key: Callable[[Features], object],
) -> list[tuple[StoredAccount, payloads.PlaidAccount]]:
    ours, theirs = _unique(stored, key), _unique(listed, key)
    return [(ours[value], theirs[value]) for value in ours if value in theirs]


def _unique(listed: Sequence[A], key: Callable[[Features], object]) -> dict[object, A]:
    """Return accounts by their key, without keys that are empty or that several accounts have."""
    groups = defaultdict(list)
    for account in listed:
        groups[key(account)].append(account)
    return {value: group[0] for value, group in groups.items() if value and len(group) == 1}


def _move(account: StoredAccount, item_id: int, plaid_account_id: str) -> None:
    former = {"item_id": account.item_id, "plaid_account_id": account.plaid_account_id}
    db.session.execute(insert(FormerAccount).values(**former, account_id=account.id))
    write(
        update(Account)
        .where(Account.id == account.id)
        .values(item_id=item_id, plaid_account_id=plaid_account_id)
    )
