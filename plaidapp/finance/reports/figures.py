"""All figures of the dashboard, from ten queries however many transactions there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from plaidapp.store.base.dates import month_of
from plaidapp.store.transactions import detailed_totals, monthly_totals
from plaidapp.store.transactions.monthly_totals import Count

from . import account_balances, accounts_by_kind, income_and_spending, net_worth
from .accounts_by_kind import AccountGroup
from .income_and_spending import CashFlow, Spending
from .net_worth import NetWorth


@dataclass(frozen=True)
class Figures:
    """Net worth, cash flow and spending have an entry per currency. The one that leads is first.

    `count` is how many transactions the person has.
    """

    net_worth: Sequence[NetWorth]
    cash_flow: Sequence[CashFlow]
    spending: Sequence[Spending]
    groups: Sequence[AccountGroup]
    count: Count

    @property
    def cash_flow_and_spending(self) -> list[tuple[CashFlow, Spending | None]]:
        """A pair per currency, in the order of the net worth. None if nothing was spent in it."""
        order = [each.currency for each in self.net_worth]
        spending_in = {each.currency: each for each in self.spending}
        pairs = [(each, spending_in.get(each.currency)) for each in self.cash_flow]
        return sorted(pairs, key=lambda pair: _position(pair[0].currency, order))


def _position(currency: str, order: Sequence[str]) -> int:
    return order.index(currency) if currency in order else len(order)


def of_user(user_id: int, period: str, today: date, main_currency: str | None = None) -> Figures:
    """`period` is one that `periods.known` returns, `today` is the person's day.

    `main_currency` is the one that the person wants to lead, if they said so.
    """
    balances = account_balances.of_user(user_id, period, today)
    monthly = income_and_spending.totals(user_id, today)
    part = income_and_spending.same_part(user_id, today)
    detailed = detailed_totals.flow(user_id, month_of(today))
    return Figures(
        net_worth=net_worth.by_currency(balances, period, today, main_currency),
        cash_flow=income_and_spending.cash_flow(monthly, today),
        spending=income_and_spending.spending(monthly, part, today, detailed),
        groups=accounts_by_kind.groups(balances, today),
        count=monthly_totals.count(user_id),
    )
