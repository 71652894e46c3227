"""The open accounts by kind: cash, cards, investments, loans; each with a sparkline."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from flask_babel.speaklater import LazyString

from ..base.account_kinds import KINDS, kind_of
from ..charts.sparkline import Sparkline
from .account_balances import NOTHING, SPARKLINE_DAYS, AccountBalance, end_of_last_month

DAYS_APART = 3


@dataclass(frozen=True)
class AccountRow(AccountBalance):
    """`sparkline` has the balance of every third day of the last ninety, today's last.

    `change` is since the end of last month; None if the balance was unknown then.
    """

    sparkline: Sparkline
    change: Decimal | None


@dataclass(frozen=True)
class AccountGroup:
    """The open accounts of one kind. `totals` are pairs of currency and sum of what is known."""

    key: str
    title: LazyString
    totals: Sequence[tuple[str, Decimal]]
    accounts: Sequence[AccountRow]

    @property
    def change(self) -> Decimal | None:
        """The change since the end of last month, as far as it is known, in its only currency.

        None if nothing is known, or if there are several currencies.
        """
        known = [row.change for row in self.accounts if row.change is not None]
        return sum(known, NOTHING) if known and len(self.totals) == 1 else None

    @property
    def unknown(self) -> int:
        """How many accounts are missing from the totals."""
        return sum(row.is_unknown for row in self.accounts)


def groups(balances: Sequence[AccountBalance], today: date) -> list[AccountGroup]:
    """The kinds that have open accounts, in the order of KINDS."""
    ages = range(SPARKLINE_DAYS, -1, -DAYS_APART)
    days = [today - timedelta(days=age) for age in ages]
    rows = defaultdict(list)
    for each in balances:
        if each.is_open:
            unknown = sum(each.line is None or day < each.line.known_from for day in days)
            line = Sparkline(each.at(days), unknown)
            change = each.change_since(end_of_last_month(today))
            row = AccountRow(each.account, each.item, each.line, line, change)
            rows[kind_of(each.account)].append(row)
    return [
        AccountGroup(key, title, _totals(rows[key]), rows[key])
        for key, title, _ in KINDS
        if rows[key]
    ]


def _totals(rows: Iterable[AccountBalance]) -> list[tuple[str, Decimal]]:
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        if row.value is not None:
            sums[row.currency] += row.value
    return sorted(sums.items())
