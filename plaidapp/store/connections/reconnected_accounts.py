"""Taking over: a person connects a bank that is connected already, and nothing is there twice.

Plaid makes a new Item and gives every account and transaction a new id; that they are the old ones
it says nowhere: https://plaid.com/docs/link/duplicate-items/. Here an account that is the same is
the same row: it goes over to the new Item, and what is kept about it with it. An Item that has no
open account left is replaced, and ended at Plaid by a pull. The transactions follow one by one
(adoption.py).

Accounts are saved with the person's ledger locked (users.lock_ledger).
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import ForeignKey, Row, Text, bindparam, func, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp.bank import payloads
from plaidapp.extensions import Base, db

from . import accounts, items
from .accounts import Account
from .items import Item

Held = Row[Any] | payloads.Account
Key = Callable[[Held], object]


class FormerAccount(Base):
    """What an account was called at an Item that it has left: what that Item says of it is void."""

    __tablename__ = "former_account"

    item_id: Mapped[int] = mapped_column(
        ForeignKey("item.id", ondelete="CASCADE"), primary_key=True
    )
    plaid_account_id: Mapped[str] = mapped_column(Text, primary_key=True)
    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True
    )


_LEFT = select(FormerAccount.plaid_account_id).where(FormerAccount.item_id == bindparam("item_id"))


def left(item_id: int) -> set[str]:
    """Plaid's ids of the accounts that have left this Item."""
    return set(db.session.scalars(_LEFT, {"item_id": item_id}))


def still_here(item_id: int, listed: Sequence[payloads.Account]) -> list[payloads.Account]:
    """Of the accounts that the bank lists those that have not left this Item."""
    void = left(item_id)
    return [sent for sent in listed if sent.account_id not in void]


def accounts_kept(item_id: int) -> int:
    """How many of the Item's accounts have come from another one."""
    query = select(func.count(func.distinct(Account.id))).join(
        FormerAccount, FormerAccount.account_id == Account.id
    )
    return db.session.scalar(query.where(Account.item_id == item_id)) or 0


def successor(item_id: int) -> int | None:
    """The Item that has this one's accounts now, or the newest of several."""
    query = select(func.max(Account.item_id)).join(
        FormerAccount, FormerAccount.account_id == Account.id
    )
    return db.session.scalar(query.where(FormerAccount.item_id == item_id))


class SavedAccounts(NamedTuple):
    """`changed` has the account and day of each balance that changed, `replaced` the Items that
    have no open account left and are to be removed at Plaid."""

    changed: set[tuple[int, date]]
    replaced: Sequence[int]


def save_accounts(user_id: int, item_id: int, listed: Sequence[payloads.Account]) -> SavedAccounts:
    """Save accounts as `accounts.save` does, after moving those known from another Item here.

    All of `listed` are `still_here`.
    """
    known = accounts.ids_of_item(item_id)
    new = [sent for sent in listed if sent.account_id not in known]
    replaced = _take_over(user_id, item_id, new) if new else []
    return SavedAccounts(accounts.save(user_id, item_id, listed), replaced)


def _take_over(user_id: int, item_id: int, new: Sequence[payloads.Account]) -> list[int]:
    """Move accounts here. Returns the Items that are replaced by it."""
    sources = set()
    for held in _elsewhere(user_id, item_id):
        for row, sent in _same(held, new):
            sources.add(row.item_id)
            new = [other for other in new if other is not sent]
            _move(row, item_id, sent.account_id)
    replaced = [source for source in sorted(sources) if not _has_open_account(source)]
    for source in replaced:
        items.replace(source)
    return replaced


def _has_open_account(item_id: int) -> bool:
    query = select(Account.id).where(Account.item_id == item_id, Account.closed_at.is_(None))
    return db.session.scalar(query.limit(1)) is not None


def _elsewhere(user_id: int, item_id: int) -> Iterator[list[Any]]:
    """The person's other accounts at this bank, by Item: the open ones first, newest Item first."""
    institution = select(Item.institution_id).where(Item.id == item_id).scalar_subquery()
    rows = db.session.execute(
        select(
            *(Account.id, Account.item_id, Account.plaid_account_id, Account.closed_at),
            *(Account.persistent_account_id, Account.type, Account.subtype),
            *(Account.mask, Account.name),
        )
        .join(Item)
        .where(Item.user_id == user_id, Item.id != item_id, Item.institution_id == institution)
        .order_by(Account.closed_at.is_not(None), Account.item_id.desc(), Account.id)
    ).all()
    for _, group in groupby(rows, key=lambda row: (row.closed_at is not None, row.item_id)):
        yield list(group)


def _persistent(account: Held) -> object:
    return account.persistent_account_id


def _look(account: Held) -> object:
    """Nothing for an account without a mask: too many are just called "IRA"."""
    return account.mask and (account.type, account.subtype, account.mask, account.name)


def _same(
    held: Sequence[Row[Any]], listed: Sequence[payloads.Account]
) -> Iterator[tuple[Row[Any], payloads.Account]]:
    """Pairs of accounts that are one: by Plaid's word, or because no two look like them."""
    by_word = _pairs(held, listed, _persistent)
    yield from by_word
    found = {row.id for row, _ in by_word}
    for row, sent in _pairs(held, listed, _look):
        told_apart = row.persistent_account_id and sent.persistent_account_id
        if row.id not in found and not told_apart:
            yield row, sent


def _pairs(held: Sequence[Any], listed: Sequence[Any], key: Key) -> list[tuple[Any, Any]]:
    ours, theirs = _unique(held, key), _unique(listed, key)
    return [(ours[value], theirs[value]) for value in ours if value in theirs]


def _unique(held: Sequence[Any], key: Key) -> dict[object, Any]:
    groups = defaultdict(list)
    for account in held:
        groups[key(account)].append(account)
    return {value: group[0] for value, group in groups.items() if value and len(group) == 1}


def _move(row: Row[Any], item_id: int, plaid_account_id: str) -> None:
    former = {name: getattr(row, name) for name in ("item_id", "plaid_account_id")}
    db.session.execute(insert(FormerAccount).values(**former, account_id=row.id))
    db.session.execute(
        update(Account)
        .where(Account.id == row.id)
        .values(item_id=item_id, plaid_account_id=plaid_account_id)
        .execution_options(synchronize_session=False)
    )


def former_items(item_id: int) -> Sequence[int]:
    """Where the Item's accounts have been before."""
    return db.session.scalars(
        select(FormerAccount.item_id)
        .join(Account, Account.id == FormerAccount.account_id)
        .where(Account.item_id == item_id, FormerAccount.item_id != item_id)
        .distinct()
    ).all()
