"""Two accounts side by side, for a person to see whether they are the same one."""

from collections.abc import Iterable
from dataclasses import dataclass

from plaidapp.extensions import db
from plaidapp.store import Account, Item
from plaidapp.store.transactions import common_rows
from plaidapp.store.transactions.common_rows import Span


@dataclass(frozen=True)
class Side:
    """An account, the connection that it is read from, and the days of its transactions."""

    account: Account
    item: Item
    span: Span


@dataclass(frozen=True)
class Comparison:
    """`common` is how many transactions are equal."""

    one: Side
    other: Side
    common: int


def of_pairs(pairs: Iterable[tuple[Account, Account]]) -> list[Comparison]:
    return [
        Comparison(_side(one), _side(other), common_rows.compare(one.id, other.id).common)
        for one, other in pairs
    ]


def _side(account: Account) -> Side:
    item = db.session.get_one(Item, account.item_id)
    return Side(account, item, common_rows.span(account.id))
