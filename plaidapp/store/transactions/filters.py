"""Filters of a person's transactions, and their conditions in SQL."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import ColumnElement, false, select, text, type_coerce
from sqlalchemy.orm import InstrumentedAttribute

from ..base.dates import days_later
from ..base.dialect import on_sqlite
from ..base.search_terms import words_of
from ..connections.accounts import Account
from .categories import not_transfer_sql, spending_account_sql
from .transactions import Transaction

# A subquery makes SQLite use the search index first: no planner can tell how many rows have a word.
FTS5 = """
"transaction".id IN (SELECT rowid FROM transaction_search WHERE transaction_search MATCH :search)
"""
# PostgreSQL computes an array once. With IN, it may search again for each row as long as it has no
# statistics of a table that has just been filled.
TSVECTOR = """
"transaction".id = ANY (ARRAY(
    SELECT found.id FROM "transaction" AS found
    WHERE array_to_tsvector(string_to_array(ltrim(found.words || found.note_words), ' '))
        @@ CAST(:search AS tsquery)
))
"""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which transactions of a person to show, and in which order.

    `start` and `end` are included; so are `smallest` and `largest`, which limit the amount without
    its sign. `search` is the text that was typed: each of its words is the beginning of a word of
    the name, the merchant or the note. A row matches any of `account_ids` and any of `categories`;
    none means all. The scope "flow" is what was earned or spent: rows of accounts that people spend
    from, without transfers. "listed" lists the other rows too, but totals leave them out
    (counted_rows.py), and with "all" totals count every row.
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
    scope: Literal["listed", "all", "flow"] = "listed"
    sort: Literal["date", "amount", "name"] = "date"
    descending: bool = True

    def conditions(
        self, *, row_by_row: bool = False, pre_selected: bool = False
    ) -> list[ColumnElement[bool]]:
        """Return the conditions of the filter.

        `row_by_row` compares words and amounts of each row instead of using their indexes, for
        short stretches of the ledger. `pre_selected` is for a query with a condition of its own
        that finds few rows, as the search index does.
        """
        pre_selected = pre_selected or (not row_by_row and bool(self._words))
        return [
            *self.of_order(pre_selected),
            *self._of_places(pre_selected),
            *self._of_amounts(row_by_row and self.sort != "amount"),
            *_flagged(Transaction.pending, self.pending),
            *_flagged(Transaction.hidden, self.hidden),
            *(self._words_by_row() if row_by_row else self._words_by_index()),
        ]

    def of_order(self, pre_selected: bool = False) -> list[ColumnElement[bool]]:
        """Return the conditions that the sort indexes cover: the person and the dates."""
        return [
            _key(Transaction.user_id, pre_selected) == self.user_id,
            Transaction.removed_at.is_(None),
            *self._of_days(),
        ]

    @property
    def is_sparse(self) -> bool:
        """True if matching rows may be rare, so that reading in order may take long."""
        sized = self.smallest is not None or self.largest is not None
        return bool(self.search or self.categories or (sized and self.sort != "amount"))

    @property
    def has_index(self) -> bool:
        """True if an index finds the matching rows directly when there are few."""
        return bool(self.search) or "only" in (self.pending, self.hidden)

    @property
    def is_of_months(self) -> bool:
        """True if monthly totals can answer it: it splits no month, account or category."""
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

    def _of_places(self, pre_selected: bool) -> Iterator[ColumnElement[bool]]:
        account = _key(Transaction.account_id, pre_selected)
        if self.item_id:
            yield _key(Transaction.item_id, pre_selected) == self.item_id
        if self.account_ids:
            yield account.in_(self.account_ids)
        if self.categories:
            yield Transaction.category.in_(self.categories)
        if self.scope == "flow":
            yield not_transfer_sql(Transaction.category)
            spending = Account.user_id == self.user_id, spending_account_sql(Account.type)
            yield account.in_(select(Account.id).where(*spending))

    def _of_amounts(self, by_row: bool) -> Iterator[ColumnElement[bool]]:
        size = _key(Transaction.size, by_row)
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
        """The words of the search, spelled as in the columns."""
        return [f"{self.user_id}u{word}" for word in dict.fromkeys(words_of(self.search))]

    def _words_by_index(self) -> Iterator[ColumnElement[bool]]:
        if not self._words:
            yield from self._without_words()
        elif on_sqlite():
            query = " AND ".join(f'"{word}"*' for word in self._words)
            yield text(FTS5).bindparams(search=query)  # type: ignore[misc]
        else:
            query = " & ".join(f"'{word}':*" for word in self._words)
            yield text(TSVECTOR).bindparams(search=query)  # type: ignore[misc]

    def _words_by_row(self) -> Iterator[ColumnElement[bool]]:
        if not self._words:
            yield from self._without_words()
        for word in self._words:
            yield (Transaction.words + Transaction.note_words).contains(f" {word}")

    def _without_words(self) -> Iterator[ColumnElement[bool]]:
        if self.search.strip():  # no index has punctuation
            yield false()


def _key(column: Any, pre_selected: bool) -> Any:
    """Return the column, or an expression that keeps SQLite from using its index.

    Otherwise SQLite may prefer that index and look each of its rows up among the few that another
    condition has found.
    """
    return type_coerce(column + 0, column.type) if pre_selected and on_sqlite() else column


def _flagged(column: InstrumentedAttribute[bool], wanted: str) -> Iterator[ColumnElement[bool]]:
    if wanted != "any":
        yield column.is_(wanted == "only")
