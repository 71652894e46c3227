"""How an account's balance got from one day to another: its posted rows between them."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from flask_babel import gettext

from plaidapp.store import Account
from plaidapp.store.base.dates import days_later, month_of
from plaidapp.store.transactions import matching_months
from plaidapp.store.transactions.filters import Filter

from ..reports.account_balances import AccountBalance
from ..transactions.filter_urls import Query
from . import row_lines
from .explanation import Line, Link
from .row_lines import NET, RowSum

MOST_ROWS = 500
"""The most rows, about, that a balance is explained from. A busy account gets fewer days."""


@dataclass(frozen=True)
class Span:
    """An account's balance at the end of two days, and its posted rows between them."""

    each: AccountBalance
    start: date
    end: date
    before: Decimal
    after: Decimal
    rows: RowSum

    @property
    def unexplained(self) -> Decimal:
        """What the bank's reports differ by and the rows don't explain."""
        return self.after - self.before - self.rows.amount

    def lines(self) -> list[Line]:
        lines = self.rows.lines()
        if self.unexplained:
            detail = gettext(
                "The bank’s balance changed by this much more than its transactions add up to."
            )
            lines.append(
                Line(gettext("Not explained by transactions"), self.unexplained, detail=detail)
            )
        return lines

    @property
    def links(self) -> list[Link]:
        return [self.rows.link] if self.rows.rows else []


def between(each: AccountBalance, start: date, end: date) -> Span:
    account = each.account
    query = rows_between(account.id, days_later(start, 1), end)
    before, after = each.reported_at([start, end])
    rows = row_lines.of(query, NET, {account.currency or "", ""})
    return Span(each, start, end, before, after, rows)


def rows_between(account_id: int, first: date, last: date) -> Query:
    """The filter of the rows that change the account's balance: hidden ones do, pending don't."""
    return {
        "start_date": [first.isoformat()],
        "end_date": [last.isoformat()],
        "account": [str(account_id)],
        "pending": ["without"],
        "hidden": ["any"],
        "scope": ["all"],
    }


def start_for(account: Account, day: date) -> date:
    """The end of the month before; a later day if the account has very many rows since then."""
    rows = _count(account, month_of(day), day)
    days = day.day if rows <= MOST_ROWS else max(day.day * MOST_ROWS // rows, 1)
    return days_later(day, -days)


def are_few(account: Account, first: date, last: date) -> bool:
    """Does the account have few enough rows in these days to be added up for a page?"""
    return _count(account, first, last) <= MOST_ROWS


def _count(account: Account, first: date, last: date) -> int:
    """How many rows the account has in the months of these days."""
    return matching_months.count_rows(
        Filter(account.user_id, first, last, account_ids=(account.id,))
    )
