"""Whether the money on an account covers what it has to pay in the next days."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from plaidapp.store import Account, Stream
from plaidapp.store.connections.account_types import DEPOSITORY

from .expected_days import expected


@dataclass(frozen=True)
class Cover:
    """`available` on an account now. On `day` it is not enough for the first time, by `short`.

    `day` is None if it is enough. Both amounts are in the account's currency.
    """

    account: Account
    available: Decimal
    day: date | None
    short: Decimal


def of_streams(streams: Iterable[Stream], start: date, end: date) -> list[Cover]:
    """Return one for each depository account with costs from `start` to `end`, both included.

    What is expected on a day comes in before anything goes out. Transfers count on both sides.
    Payments in another currency than the account's are left out: nobody knows their rate.
    """
    days_of = defaultdict[int, defaultdict[date, Decimal]](lambda: defaultdict(Decimal))
    accounts: dict[int, Account] = {}
    for stream in streams:
        account = stream.account
        if account.type != DEPOSITORY or stream.currency != account.currency:
            continue
        for day in expected(stream, start, end):
            days_of[account.id][day] += stream.last_amount
            if stream.last_amount > 0:
                accounts[account.id] = account
    covers = (_cover(account, days_of[number]) for number, account in accounts.items())
    return [cover for cover in covers if cover]


def _cover(account: Account, costs: dict[date, Decimal]) -> Cover | None:
    available = account.available if account.available is not None else account.balance
    if available is None:
        return None
    left = available
    for day, cost in sorted(costs.items()):
        left -= cost
        if left < 0 < cost:
            return Cover(account, available, day, -left)
    return Cover(account, available, None, Decimal(0))
