"""Which of a person's transactions are meant, as conditions for the database."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import ColumnElement, false, select, text, type_coerce

from ..base.search_terms import words_of
from ..base.types import days_later, on_sqlite
from ..connections.accounts import Account
from .categories import SPENT_FROM, TRANSFERS
from .transactions import Transaction

# The index is asked first and by itself: how many rows begin with some letters no planner knows.
FTS5 = """
"transaction".id IN (SELECT rowid FROM transaction_search WHERE transaction_search MATCH :search)
"""
# An array is worked out once. Behind an IN, PostgreSQL may look for the words again for each row
# while it knows nothing of a table that has just been filled.
TSVECTOR = """
"transaction".id = ANY (ARRAY(
    SELECT found.id FROM "transaction" AS found
    WHERE array_to_tsvector(string_to_array(ltrim(found.words || found.note_words), ' '))
        @@ CAST(:search AS tsquery)
))
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

    def conditions(
        self, *, row_by_row: bool = False, led: bool = False
    ) -> list[ColumnElement[bool]]:
        """`row_by_row` reads the words and the amount of each row that is looked at, and leaves
        their indexes alone: for stretches of the ledger that are short. `led` is for a query with
        a condition of its own that leads to few rows, as the index of words does."""
        led = led or (not row_by_row and bool(self._words))
        return [
            *self.of_order(led),
            *self._of_places(led),
            *self._of_amounts(row_by_row and self.sort != "amount"),
            *_flagged(Transaction.pending, self.pending),
            *_flagged(Transaction.hidden, self.hidden),
            *(self._of_words_read() if row_by_row else self._of_words_found()),
        ]

    def of_order(self, led: bool = False) -> list[ColumnElement[bool]]:
        """Those of the conditions that the indexes of the orders know: whose, and which days."""
        return [
            _key(Transaction.user_id, led) == self.user_id,
            Transaction.removed_at.is_(None),
            *self._of_days(),
        ]

    @property
    def is_sparse(self) -> bool:
        """The rows may be few and far between, in any order."""
        sized = self.smallest is not None or self.largest is not None
        return bool(self.search or self.categories or (sized and self.sort != "amount"))

    @property
    def has_index(self) -> bool:
        """An index of its own finds the rows, if they are few."""
        return bool(self.search) or "only" in (self.pending, self.hidden)

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

    def _of_places(self, led: bool) -> Iterator[ColumnElement[bool]]:
        account = _key(Transaction.account_id, led)
        if self.item_id:
            yield _key(Transaction.item_id, led) == self.item_id
        if self.account_ids:
            yield account.in_(self.account_ids)
        if self.categories:
            yield Transaction.category.in_(self.categories)
        if self.scope == "flow":
            yield Transaction.category.not_in(TRANSFERS)
            spent_from = Account.user_id == self.user_id, Account.type.in_(SPENT_FROM)
            yield account.in_(select(Account.id).where(*spent_from))

    def _of_amounts(self, read: bool) -> Iterator[ColumnElement[bool]]:
        size = _key(Transaction.size, read)
        if self.smallest is not None:
            yield size >= self.smallest
        if self.largest is not None:
            yield size <= self.largest
        if self.direction == "in":
            yield Transaction.amount < 0
        elif self.direction == "out":
            yield Transaction.amount > 0

    @property
    def _words(self) -> list[str]:
        """What is searched for, as the columns have it."""
        return [f"{self.user_id}u{word}" for word in dict.fromkeys(words_of(self.search))]

    def _of_words_found(self) -> Iterator[ColumnElement[bool]]:
        if not self._words:
            yield from self._of_signs()
        elif on_sqlite():
            query = " AND ".join(f'"{word}"*' for word in self._words)
            yield text(FTS5).bindparams(search=query)  # type: ignore[misc]
        else:
            query = " & ".join(f"'{word}':*" for word in self._words)
            yield text(TSVECTOR).bindparams(search=query)  # type: ignore[misc]

    def _of_words_read(self) -> Iterator[ColumnElement[bool]]:
        if not self._words:
            yield from self._of_signs()
        for word in self._words:
            yield (Transaction.words + Transaction.note_words).contains(f" {word}")

    def _of_signs(self) -> Iterator[ColumnElement[bool]]:
        if self.search.strip():  # signs alone are in no index
            yield false()


def _key(column: Any, led: bool) -> Any:
    """For SQLite a sum, which no index has: or else it goes by the column, and looks for each row
    among those that were led to."""
    return type_coerce(column + 0, column.type) if led and on_sqlite() else column


def _flagged(column: Any, wanted: str) -> Iterator[ColumnElement[bool]]:
    if wanted != "any":
        yield column.is_(wanted == "only")
