"""Which of a person's transactions are meant, as conditions for the database."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import ColumnElement, false, select, text

from .accounts import Account
from .categories import SPENT_FROM, TRANSFERS
from .transactions import Transaction
from .types import days_later, on_sqlite
from .words import words_of

# The index is asked first and by itself: how many rows begin with some letters no planner knows.
FTS5 = """
"transaction".id IN (SELECT rowid FROM transaction_search WHERE transaction_search MATCH :search)
"""
TSVECTOR = """
"transaction".id IN (
    SELECT found.id FROM "transaction" AS found
    WHERE array_to_tsvector(string_to_array(ltrim(found.words || found.note_words), ' '))
        @@ CAST(:search AS tsquery)
    OFFSET 0
)
"""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which of a person's transactions are meant, and in which order.

    Both dates are included; so are `smallest` and `largest`, which bound the amount without its
    sign. `search` is what was typed: every word of it begins a word of the name, the merchant or
    the note. Of `account_ids` and `categories` any one fits; none means all. The scope "flow" is
    what was earned or spent: on accounts one spends from, without transfers between one's own.
    """

    user_id: int
    start: datetime.date | None = None
    end: datetime.date | None = None
    item_id: int | None = None
    search: str = ""
    account_ids: tuple[int, ...] = ()
    categories: tuple[str, ...] = ()
    smallest: Decimal | None = None
    largest: Decimal | None = None
    direction: Literal["any", "in", "out"] = "any"
    pending: Literal["any", "only", "without"] = "any"
    hidden: Literal["any", "only", "without"] = "without"
    scope: Literal["all", "flow"] = "all"
    sort: Literal["date", "amount", "name"] = "date"
    descending: bool = True

    def conditions(self) -> list[ColumnElement[bool]]:
        return [
            Transaction.user_id == self.user_id,
            Transaction.removed_at.is_(None),
            *self._of_days(),
            *self._of_places(),
            *self._of_amounts(),
            *_flagged(Transaction.pending, self.pending),
            *_flagged(Transaction.hidden, self.hidden),
            *self._of_words(),
        ]

    @property
    def is_of_months(self) -> bool:
        """It divides no month, account or category: what is kept by month adds up to it."""
        plain = Filter(self.user_id, self.start, self.end, self.item_id)
        whole = replace(
            plain,
            account_ids=self.account_ids,
            categories=self.categories,
            scope=self.scope,
            sort=self.sort,
            descending=self.descending,
        )
        begins = self.start is None or self.start.day == 1
        ends = self.end is None or days_later(self.end, 1).day == 1
        return self == whole and begins and ends

    def _of_days(self) -> Iterator[ColumnElement[bool]]:
        if self.start:
            yield Transaction.date >= self.start
        if self.end:
            yield Transaction.date <= self.end

    def _of_places(self) -> Iterator[ColumnElement[bool]]:
        if self.item_id:
            yield Transaction.item_id == self.item_id
        if self.account_ids:
            yield Transaction.account_id.in_(self.account_ids)
        if self.categories:
            yield Transaction.category.in_(self.categories)
        if self.scope == "flow":
            yield Transaction.category.not_in(TRANSFERS)
            spent_from = Account.user_id == self.user_id, Account.type.in_(SPENT_FROM)
            yield Transaction.account_id.in_(select(Account.id).where(*spent_from))

    def _of_amounts(self) -> Iterator[ColumnElement[bool]]:
        if self.smallest is not None:
            yield Transaction.size >= self.smallest
        if self.largest is not None:
            yield Transaction.size <= self.largest
        if self.direction == "in":
            yield Transaction.amount < 0
        elif self.direction == "out":
            yield Transaction.amount > 0

    def _of_words(self) -> Iterator[ColumnElement[bool]]:
        if not self.search.strip():
            return
        words = [f"{self.user_id}u{word}" for word in dict.fromkeys(words_of(self.search))]
        if not words:  # signs alone are in no index
            yield false()
            return
        if on_sqlite():
            found, query = FTS5, " AND ".join(f'"{word}"*' for word in words)
        else:
            found, query = TSVECTOR, " & ".join(f"'{word}':*" for word in words)
        yield text(found).bindparams(search=query)  # type: ignore[misc]


def _flagged(column: Any, wanted: str) -> Iterator[ColumnElement[bool]]:
    if wanted != "any":
        yield column.is_(wanted == "only")
