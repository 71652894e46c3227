"""An account's balance on a day: an earlier one, and the transactions since then.

What is owed is negative.
"""

import json
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from flask import url_for
from flask_babel import gettext

from plaidapp.days import day_of, inline_moment, long_day, month_day, today
from plaidapp.store import Account, Item
from plaidapp.store.base.dates import days_later, month_of
from plaidapp.store.connections import balances
from plaidapp.store.reports.balance_history import COMPUTED_TYPES
from plaidapp.store.transactions import matching_months
from plaidapp.store.transactions.filters import Filter

from ..base.blueprint import blueprint
from ..connections.accounts_json import as_plaid
from ..reports import account_balances
from ..reports.account_balances import AccountBalance
from ..transactions.filter_urls import Query, account_label
from . import asked, row_lines
from .explanation import Explanation, Line, Link, Result, answer
from .row_lines import NET, RowSum

MOST_ROWS = 5_000
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
            detail = gettext("The bank’s balances differ by this much more than its transactions.")
            lines.append(
                Line(gettext("Not explained by transactions"), self.unexplained, detail=detail)
            )
        return lines

    @property
    def links(self) -> list[Link]:
        return [self.rows.link] if self.rows.rows else []


def span(each: AccountBalance, start: date, end: date) -> Span:
    account = each.account
    query = rows_between(account, days_later(start, 1), end)
    before, after = each.at([start, end])
    rows = row_lines.of(query, NET, {account.currency or "", ""})
    return Span(each, start, end, before, after, rows)


def rows_between(account: Account, first: date, last: date) -> Query:
    """The filter of the rows that change the account's balance: hidden ones do, pending don't."""
    return {
        "start_date": [first.isoformat()],
        "end_date": [last.isoformat()],
        "account": [str(account.id)],
        "pending": ["without"],
        "hidden": ["any"],
        "scope": ["all"],
    }


def start_for(account: Account, day: date) -> date:
    """The end of the month before; a later day if the account has very many rows since then."""
    first = month_of(day)
    rows = matching_months.count_rows(
        Filter(account.user_id, first, day, account_ids=(account.id,))
    )
    days = day.day if rows <= MOST_ROWS else max(day.day * MOST_ROWS // rows, 1)
    return days_later(day, -days)


def url_of(account: Account, day: date) -> str:
    return url_for("finance.explain_balance", account_id=account.id, day=day.isoformat())


@blueprint.get("/explain/balance/<int:account_id>")
def explain_balance(account_id: int) -> str:
    return answer(balance(*asked.account(account_id), asked.day()))


def balance(account: Account, item: Item, day: date) -> Explanation:
    start = start_for(account, day)
    each = account_balances.of_account(account, item, start, today())
    closed = day_of(account.closed_at) if account.closed_at else None
    entries: list[Line | Result] = []
    links: list[Link] = []
    if each.line is None:
        pass
    elif closed and day >= closed:
        entries = _closed(each, closed)
    elif day < each.line.known_from:
        entries = _estimated(each, day, each.line.known_from)
    elif account.type not in COMPUTED_TYPES or each.line.known_from == day:
        entries = _reported(each, day)
    else:
        found = span(each, max(start, each.line.known_from), day)
        entries, links = _written_out(found), found.links
    is_now = day == today()
    return Explanation(
        gettext("Balance"),
        gettext("%(account)s, %(day)s", account=account_label(account), day=long_day(day)),
        account.currency or "",
        entries,
        notes=_notes(each, day),
        links=links,
        sent=json.dumps(as_plaid(account), indent=2, ensure_ascii=False) if is_now else "",
    )


def _written_out(found: Span) -> list[Line | Result]:
    account, day = found.each.account, found.end
    reported = balances.last_report(account.id, found.start)
    is_banks = reported == found.start
    of_day = gettext("end of %(day)s", day=month_day(found.start))
    start = Line(
        gettext("Bank’s balance") if is_banks else gettext("Balance"),
        found.before,
        url_of(account, found.start),
        of_day if is_banks else gettext("%(day)s, calculated", day=of_day),
        is_explained=True,
        is_start=True,
    )
    agrees = reported is not None and not found.unexplained
    return [start, *found.lines(), _result(account, day, found.after, agrees=agrees)]


def _result(account: Account, day: date, amount: Decimal, *, agrees: bool) -> Result:
    """`agrees` says that rows lead to this balance from an earlier one of the bank's."""
    reported = balances.last_report(account.id, day)
    if reported == day:
        when = inline_moment(account.updated_at) if day == today() else month_day(day)
        said = (
            gettext("the bank says the same, %(when)s", when=when)
            if agrees
            else gettext("as the bank reported it, %(when)s", when=when)
        )
        return Result(gettext("Balance"), amount, said, is_confirmed=agrees)
    if reported:
        said = gettext("calculated; the bank last reported on %(day)s", day=month_day(reported))
    else:
        said = gettext("calculated back from the first balance that the bank reported")
    return Result(gettext("Balance"), amount, said)


def _reported(each: AccountBalance, day: date) -> list[Line | Result]:
    """A balance that rows don't lead to."""
    (amount,) = each.at([day])
    reported = balances.last_report(each.account.id, day)
    if reported is None:
        label, detail = gettext("First balance"), gettext("before the first transaction")
    else:
        label, detail = (
            gettext("Bank’s balance"),
            gettext("reported on %(day)s", day=month_day(reported)),
        )
    return [Line(label, amount, detail=detail, is_start=True), Result(gettext("Balance"), amount)]


def _estimated(each: AccountBalance, day: date, known: date) -> list[Line | Result]:
    (amount,) = each.at([day])
    first = Line(
        gettext("First known balance"),
        amount,
        url_of(each.account, known),
        month_day(known),
        is_explained=True,
        is_estimate=True,
        is_start=True,
    )
    return [first, Result(gettext("Balance"), amount)]


def _closed(each: AccountBalance, closed: date) -> list[Line | Result]:
    before = days_later(closed, -1)
    (amount,) = each.at([before])
    last = Line(
        gettext("Last balance"),
        amount,
        url_of(each.account, before),
        month_day(before),
        is_explained=True,
        is_start=True,
    )
    label = gettext("Disconnected") if each.item.disconnected_at else gettext("Closed")
    end = Line(label, -amount, detail=month_day(closed))
    return [last, end, Result(gettext("Balance"), Decimal(0))]


def _notes(each: AccountBalance, day: date) -> list[str]:
    account, notes = each.account, []
    if each.line is None:
        notes.append(gettext("The bank has not reported a balance of this account."))
    elif day < each.line.known_from:
        notes.append(
            gettext("The balance of this day is not known. The first one that is stands in for it.")
        )
    if account.type not in COMPUTED_TYPES:
        notes.append(
            gettext(
                "What this account is worth is not the sum of its transactions, so only what the "
                "bank reported counts."
            )
        )
    if account.is_debt:
        notes.append(gettext("What you owe is negative."))
    if account.is_hidden:
        notes.append(gettext("You have hidden this account. It is left out of your net worth."))
    return notes
