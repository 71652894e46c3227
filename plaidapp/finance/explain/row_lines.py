"""The lines of a sum of transactions: each row if they are few, otherwise each category.

The filter that a line sums up is the one that its link shows, so the two can't differ.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from flask import url_for
from flask_babel import gettext, ngettext
from werkzeug.datastructures import MultiDict

from plaidapp.auth.access import person
from plaidapp.days import long_month, month_day, today
from plaidapp.formats import number, shown_title
from plaidapp.store import Transaction
from plaidapp.store.base.dates import month_of
from plaidapp.store.connections import accounts
from plaidapp.store.transactions import filter_totals, reader
from plaidapp.store.transactions.categories import SPENDING_TYPES, is_transfer
from plaidapp.store.transactions.filter_totals import CategorySum
from plaidapp.store.transactions.filters import Filter

from ..transactions import filter_urls
from ..transactions.category_labels import category_label
from ..transactions.filter_form import NO_CURRENCY, ExplorerForm
from ..transactions.filter_urls import Query
from .explanation import Line, Link

MOST_ROWS = 8
MOST_CATEGORIES = 7
IN, OUT, NET = "in", "out", "net"
SPENT = "spent"
"""Purchases less refunds."""


@dataclass(frozen=True)
class RowSum:
    """What the rows of a filter add up to that totals count, or leave out, in one currency."""

    query: Query
    part: str
    sums: Sequence[CategorySum]
    left_out: bool = False

    @property
    def rows(self) -> int:
        return sum(each.rows for each in self.sums)

    @property
    def amount(self) -> Decimal:
        return sum((amount_of(each, self.part) for each in self.sums), Decimal(0))

    @property
    def link(self) -> Link:
        """To all of these rows."""
        return Link(gettext("See the transactions"), filter_urls.address(self._exactly(self.sums)))

    def lines(self) -> list[Line]:
        if self.rows <= MOST_ROWS and not self.left_out:
            found = reader.page(filter_of(self._exactly(self.sums)), MOST_ROWS) if self.sums else ()
            return [self._line_of_row(row) for row in found]
        parts = [each for each in self.sums if amount_of(each, self.part)]
        parts.sort(key=lambda each: (-abs(amount_of(each, self.part)), self._code(each)))
        many = len(parts) > MOST_CATEGORIES + 1 and not self.left_out
        named = parts[:MOST_CATEGORIES] if many else parts
        lines = [self._line(category_label(self._code(each)), [each]) for each in named]
        if others := parts[len(named) :]:
            lines.append(self._line(gettext("Other categories"), others))
        return lines

    def _code(self, each: CategorySum) -> str:
        return code_of(each, self.query)

    def _line(self, label: str, sums: Sequence[CategorySum]) -> Line:
        rows = sum(each.rows for each in sums)
        both = any(each.money_in for each in sums) and any(each.money_out for each in sums)
        return Line(
            label,
            sum((amount_of(each, self.part) for each in sums), Decimal(0)),
            filter_urls.address(self._exactly(sums)),
            "" if both and self.part in (IN, OUT) else counted(rows),
        )

    def _line_of_row(self, row: Transaction) -> Line:
        amount = row.amount if self.part in (OUT, SPENT) else -row.amount
        url = url_for("finance.transaction", transaction_id=row.id)
        return Line(shown_title(row), amount, url, on_day(row.date))

    def _exactly(self, sums: Iterable[CategorySum]) -> Query:
        """The filter of the sum's rows of these categories, and of no others."""
        query = self.query | {"category": list(dict.fromkeys(map(self._code, sums)))}
        if self.part in (IN, OUT):
            query |= {"direction": [self.part]}
        if "scope" in query or "account" in query:
            return query
        has_transfers = any(is_transfer(each.category) for each in sums)
        if self.left_out:  # transfers of every account, unless the filter asks for them
            if has_transfers and "category" not in self.query:
                return query | {"scope": ["all"]}
            return query | {"scope": ["all"], "account": _account_ids(query, spent_from=False)}
        if not has_transfers:
            return query | {"scope": ["flow"]}
        return query | {"scope": ["all"], "account": _account_ids(query, spent_from=True)}


def _account_ids(query: Query, *, spent_from: bool) -> list[str]:
    """The accounts of one sort, without hidden ones unless the filter has their rows."""
    leaves_out_hidden = filter_of(query).leaves_out_accounts
    return [
        str(each.id)
        for each in accounts.of_user(person().id)
        if (each.type in SPENDING_TYPES) is spent_from
        and not (each.is_hidden and leaves_out_hidden)
    ]


def amount_of(each: CategorySum, part: str) -> Decimal:
    if part in (NET, SPENT):
        net = each.money_in - each.money_out
        return net if part == NET else -net
    return each.money_in if part == IN else each.money_out


def on_day(day: date) -> str:
    return gettext("on %(day)s", day=month_day(day))


def counted(rows: int) -> str:
    return ngettext("%(count)s transaction", "%(count)s transactions", rows, count=number(rows))


def filter_of(query: Query) -> Filter:
    """The filter of an address that is known to be valid."""
    form = ExplorerForm(MultiDict(query))
    form.validate()
    return form.filter_of(person().id)


def sums_of(query: Query, *, left_out: bool = False) -> list[CategorySum]:
    """What the filter's rows add up to that totals count, or leave out."""
    return filter_totals.by_category(filter_of(query), left_out=left_out)


def of(query: Query, part: str, currencies: Iterable[str], *, left_out: bool = False) -> RowSum:
    """The rows of a filter with these currencies. The filter names them only where others exist."""
    wanted = set(currencies)
    found = sums_of(query, left_out=left_out)
    sums = [each for each in found if each.currency in wanted]
    if len(sums) < len(found):
        query = query | {"currency": sorted(code or NO_CURRENCY for code in wanted)}
    return RowSum(query, part, _joined(sums, query), left_out)


def code_of(each: CategorySum, query: Query) -> str:
    """The category of a sum, at the level that the filter asks for."""
    by_detailed = each.detailed and each.category not in query.get("category", ())
    return each.detailed if by_detailed else each.category


def _joined(sums: Iterable[CategorySum], query: Query) -> list[CategorySum]:
    """One sum for each category, whatever its currency."""
    joined: dict[str, CategorySum] = {}
    for each in sums:
        code = code_of(each, query)
        so_far = joined.get(code)
        joined[code] = each if so_far is None else _added(so_far, each)
    return list(joined.values())


def _added(one: CategorySum, other: CategorySum) -> CategorySum:
    return one._replace(
        rows=one.rows + other.rows,
        money_in=one.money_in + other.money_in,
        money_out=one.money_out + other.money_out,
    )


def of_days(first: date, last: date) -> Query:
    return {"start_date": [first.isoformat()], "end_date": [last.isoformat()]}


def about_month(month: date) -> str:
    name = long_month(month)
    if month == month_of(today()):
        return gettext("In %(month)s so far", month=name)
    return gettext("In %(month)s", month=name)


def hidden_note() -> list[str]:
    if person().hides_accounts:
        return [gettext("Accounts that you have hidden are left out.")]
    return []
