"""The figures of the dashboard, gathered at once: seven queries, however many transactions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from plaidapp.store.transactions import monthly_totals

from . import balance_sheet, income_and_spending


@dataclass(frozen=True)
class Overview:
    """Each list has an entry for each currency. `shown` counts the person's transactions."""

    net_worth: Sequence[balance_sheet.NetWorth]
    cash_flow: Sequence[income_and_spending.CashFlow]
    spending: Sequence[income_and_spending.Spending]
    groups: Sequence[balance_sheet.AccountGroup]
    count: monthly_totals.Count

    @property
    def flows(
        self,
    ) -> list[tuple[income_and_spending.CashFlow, income_and_spending.Spending | None]]:
        """What belongs together, in the order of the net worth; None where nothing was spent."""
        order = [each.currency for each in self.net_worth]
        spent = {each.currency: each for each in self.spending}
        pairs = [(each, spent.get(each.currency)) for each in self.cash_flow]
        return sorted(pairs, key=lambda pair: _place(pair[0].currency, order))


def _place(currency: str, order: Sequence[str]) -> int:
    return order.index(currency) if currency in order else len(order)


def of(user_id: int, period: str, today: date) -> Overview:
    """`period` is one of `worth.PERIODS`; `today` is UTC's."""
    holdings = balance_sheet.holdings(user_id, period, today)
    sums = income_and_spending.sums(user_id, today)
    return Overview(
        net_worth=balance_sheet.net_worth(holdings, period, today),
        cash_flow=income_and_spending.cash_flow(sums, today),
        spending=income_and_spending.spending(sums, today),
        groups=balance_sheet.groups(holdings, today),
        count=monthly_totals.count(user_id),
    )
