"""Filters of a person's transactions, and their conditions in SQL."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import ColumnElement, func, select, type_coerce
from sqlalchemy.orm import InstrumentedAttribute

from ..base.dates import days_later, months_later
from ..base.dialect import on_sqlite
from ..connections.accounts import Account
from ..people import users
from . import search
from .categories import not_transfer_sql, spending_account_sql
from .category_tree import TREE, any_of_sql
from .search import Word
from .transactions import Transaction


@dataclass(frozen=True, slots=True)
class Filter:
    """Which transactions of a person to show, and in which order.

    `start` and `end` are included; so are `smallest` and `largest`, which limit the amount without
    its sign. A row matches all words of `search`, any of `account_ids`, any of `categories` (codes
    of either level) and any of `currencies`; none means all. The currency "" is that of rows whose
    bank names none. The scope "flow" is what was earned or spent: rows of accounts that people
    spend from, without transfers. "listed" lists the other rows too, but totals leave them out
    (counted_rows.py), and with "all" totals count every row. Rows of accounts that the person has
    hidden are left out, unless the filter names accounts, asks for hidden rows, or has
    `hidden_accounts`.
    """

    user_id: int
    start: datetime.date | None = None
    end: datetime.date | None = None
    item_id: int | None = None
    search: tuple[Word, ...] = ()
    account_ids: tuple[int, ...] = ()
    categories: tuple[str, ...] = ()
    currencies: tuple[str, ...] = ()
    smallest: Decimal | None = None
    largest: Decimal | None = None
    direction: Literal["any", "in", "out"] = "any"
    pending: Literal["any", "only", "without"] = "any"
    hidden: Literal["any", "only", "without"] = "without"
    hidden_accounts: bool = False
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
        pre_selected = pre_selected or (not row_by_row and search.has_index(self.search))
        return [
            *self.of_order(pre_selected or self._has_accounts_index),
            *self._of_places(pre_selected or self._has_flag_index),
            *self._of_amounts(row_by_row and self.sort != "amount"),
            *_flagged(Transaction.pending, self.pending),
            *_flagged(Transaction.hidden, self.hidden),
            *self._of_shown_accounts(),
            *self._of_search(row_by_row),
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
        return bool(
            self.search
            or self.categories
            or self.currencies
            or (sized and self.sort != "amount")
            or self.leaves_out_accounts
        )

    @property
    def leaves_out_accounts(self) -> bool:
        """True if the person has hidden accounts and the filter doesn't ask for their rows."""
        asks = self.hidden_accounts or self.account_ids or self.hidden != "without"
        return not asks and users.hides_accounts(self.user_id)

    @property
    def has_index(self) -> bool:
        """True if an index finds the matching rows directly when there are few."""
        return search.has_index(self.search) or self._has_flag_index

    @property
    def _has_flag_index(self) -> bool:
        """True if it asks for pending or for hidden rows only. Those are few."""
        return "only" in (self.pending, self.hidden)

    @property
    def _has_accounts_index(self) -> bool:
        """True if the index of an account has its rows in the filter's order. Reading in the order
        of all rows takes long if the account has few of them."""
        return len(self.account_ids) == 1 and self.sort == "date" and not self._has_flag_index

    @property
    def is_of_months(self) -> bool:
        """True if monthly totals can answer it: it splits no month, account or category."""
        plain = Filter(self.user_id, self.start, self.end, self.item_id)
        whole = replace(
            plain,
            account_ids=self.account_ids,
            categories=self.categories,
            currencies=self.currencies,
            scope=self.scope,
            hidden_accounts=self.hidden_accounts,
            sort=self.sort,
            descending=self.descending,
        )
        begins = self.start is None or self.start.day == 1
        ends = self.end is None or days_later(self.end, 1).day == 1
        return self == whole and begins and ends

    @property
    def is_within_a_year(self) -> bool:
        """True if its dates are at most a year apart."""
        return bool(self.start and self.end and self.end < months_later(self.start, 12))

    def by_meaning(self) -> "list[Filter]":
        """Return filters that find the same rows together and are read faster one by one.

        They differ in the first word of the search, which may mean a category.
        """
        word, *rest = self.search
        as_text = replace(self, search=(replace(word, categories=()), *rest))
        in_category = replace(self, search=(*rest, Word((), word.categories)))
        return [as_text, in_category]

    @property
    def category_sets(self) -> list[tuple[str, ...]]:
        """Sets of categories: each row counts under one of every set."""
        named = (word.categories for word in self.search if word.is_category)
        return [codes for codes in (self.categories, *named) if codes]

    @property
    def names_detailed(self) -> bool:
        """True if it takes detailed categories to tell which rows match."""
        return any(code not in TREE for codes in self.category_sets for code in codes)

    def _of_search(self, row_by_row: bool) -> list[ColumnElement[bool]]:
        if row_by_row:
            return search.by_row(self.search)
        return search.by_index(self.user_id, self.search)

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
            yield any_of_sql(self.categories, Transaction.category, Transaction.detailed)
        if self.currencies:
            yield func.coalesce(Transaction.currency, "").in_(self.currencies)
        if self.scope == "flow":
            yield not_transfer_sql(Transaction.category)
            spending = Account.user_id == self.user_id, spending_account_sql(Account.type)
            yield account.in_(select(Account.id).where(*spending))

    def _of_shown_accounts(self) -> Iterator[ColumnElement[bool]]:
        if self.leaves_out_accounts:
            hidden = select(Account.id).where(Account.user_id == self.user_id, Account.is_hidden)
            yield Transaction.account_id.not_in(hidden)

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


def _key(column: Any, pre_selected: bool) -> Any:
    """Return the column, or an expression that keeps SQLite from using its index.

    Otherwise SQLite may prefer that index and look each of its rows up among the few that another
    condition has found.
    """
    return type_coerce(column + 0, column.type) if pre_selected and on_sqlite() else column


def _flagged(column: InstrumentedAttribute[bool], wanted: str) -> Iterator[ColumnElement[bool]]:
    if wanted != "any":
        yield column.is_(wanted == "only")
