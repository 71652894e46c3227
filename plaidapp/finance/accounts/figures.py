"""The figures of an account's page: its balance over time, what is left of it, and its months."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from flask_babel import gettext

from plaidapp.days import day_of
from plaidapp.store import Account, Item
from plaidapp.store.base.dates import days_later, last_of_month, month_of, months_later
from plaidapp.store.connections.account_types import CREDIT
from plaidapp.store.reports.running_balances import Pending
from plaidapp.store.transactions import monthly_totals

from ..charts.bars import BarChart, Month
from ..charts.line import LineChart
from ..reports import account_balances, periods
from ..reports.account_balances import NOTHING, AccountBalance
from .available import Available

MONTHS = 6
MOST_POINTS = 400


@dataclass(frozen=True)
class Figures:
    """`value` is the balance, None if none is known. `history` is the balance by day over `period`,
    None if it is known for one day only. `months` has what came in and went out by month, this
    month last; None if nothing did.
    """

    value: Decimal | None
    period: str
    history: LineChart | None
    months: BarChart | None
    available: Available


def of_account(
    account: Account, item: Item, pending: Pending, period: str | None, today: date
) -> Figures:
    """`period` is the one in the address."""
    chosen = periods.known(period)
    start = periods.start_of(chosen, today)
    balance = account_balances.of_account(account, item, start, today)
    history = _history(balance, start, today)
    months = _months(account, today)
    return Figures(balance.value, chosen, history, months, Available.of(account, pending))


def _history(balance: AccountBalance, start: date, today: date) -> LineChart | None:
    """It ends on the last day before the account was closed."""
    if balance.line is None:
        return None
    closed_at = balance.account.closed_at
    end = min(today, days_later(day_of(closed_at), -1)) if closed_at else today
    span = (end - max(start, balance.line.known_from)).days
    if span < 1:
        return None
    stride = span // MOST_POINTS + 1
    days = [end - timedelta(days=age) for age in range(span - span % stride, -1, -stride)]
    return LineChart(gettext("Balance"), balance.currency, days, balance.at(days))


def _months(account: Account, today: date) -> BarChart | None:
    this = month_of(today)
    firsts = [months_later(this, -age) for age in range(MONTHS - 1, -1, -1)]
    totals = monthly_totals.in_and_out(account, firsts[0])
    if not any(first in totals for first in firsts):
        return None
    months = [
        Month(first, totals.get(first, (NOTHING, NOTHING)), _rows_of(account, first))
        for first in firsts
    ]
    names = (
        (gettext("paid"), gettext("spent"))
        if account.type == CREDIT
        else (gettext("in"), gettext("out"))
    )
    return BarChart(gettext("By month"), account.currency or "", names, months)


def _rows_of(account: Account, month: date) -> dict[str, str]:
    """The explorer's fields that show the rows behind a month."""
    days = {"start_date": month.isoformat(), "end_date": last_of_month(month).isoformat()}
    return days | {"account": str(account.id), "scope": "all"}
