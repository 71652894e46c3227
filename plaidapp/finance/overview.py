"""The figures of the dashboard, gathered at once: seven queries, however many transactions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from plaidapp.store import totals

from . import flows, worth


@dataclass(frozen=True)
class Overview:
    """Each list has an entry for each currency. `shown` counts the person's transactions."""

    net_worth: Sequence[worth.NetWorth]
    cash_flow: Sequence[flows.CashFlow]
    spending: Sequence[flows.Spending]
    groups: Sequence[worth.AccountGroup]
    count: totals.Count


def of(user_id: int, period: str, today: date) -> Overview:
    """`period` is one of `worth.PERIODS`; `today` is UTC's."""
    holdings = worth.holdings(user_id, period, today)
    sums = flows.sums(user_id, today)
    return Overview(
        net_worth=worth.net_worth(holdings, period, today),
        cash_flow=flows.cash_flow(sums, today),
        spending=flows.spending(sums, today),
        groups=worth.groups(holdings, today),
        count=totals.count(user_id),
    )
