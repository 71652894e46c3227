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

    @property
    def flows(self) -> list[tuple[flows.CashFlow, flows.Spending | None]]:
        """What belongs together, in the order of the net worth; None where nothing was spent."""
        order = [each.currency for each in self.net_worth]
        spent = {each.currency: each for each in self.spending}
        pairs = [(each, spent.get(each.currency)) for each in self.cash_flow]
        return sorted(pairs, key=lambda pair: _place(pair[0].currency, order))


def _place(currency: str, order: Sequence[str]) -> int:
    return order.index(currency) if currency in order else len(order)


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
