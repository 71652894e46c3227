"""What recurs in an Item's ledger: subscriptions, bills and pay.

https://plaid.com/docs/api/products/transactions/#transactionsrecurringget

A stream is what one merchant (or, without one, one description) takes from or gives to one account
at regular intervals and in like amounts. It follows from the ledger and the day alone.
"""

import calendar
import sqlite3
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import msgspec

from sandbox.ids import Ids
from sandbox.ledger import posted

ACCOUNT_TYPES = ("depository", "credit")
"""Plaid looks at checking, savings and credit card accounts."""
REGULAR = Decimal("0.75")
"""How many of a stream's intervals have to fit: one more purchase at the shop does not end it."""
ALIKE = Decimal(2)
"""Amounts lie within this factor of their median either way: bills change with the season."""
ALIKE_ANNUAL = Decimal("1.25")


@dataclass(frozen=True)
class Frequency:
    """`low` to `high` days lie between two payments, `mean_low` to `mean_high` on average.

    The next one is long overdue `grace` days after it was expected. `mature` is how many payments
    make a stream more than a guess.
    """

    name: str
    low: int
    high: int
    mean_low: float
    mean_high: float
    grace: int
    mature: int = 3


FREQUENCIES = (
    Frequency("WEEKLY", 6, 8, 6.5, 7.5, 4),
    Frequency("BIWEEKLY", 12, 16, 13.5, 14.5, 7),
    Frequency("SEMI_MONTHLY", 12, 18, 14.5, 16, 8),
    Frequency("MONTHLY", 26, 35, 28, 32, 15),
    Frequency("ANNUALLY", 355, 375, 360, 370, 45, mature=2),
)


class _Category(msgspec.Struct, frozen=True):
    primary: str
    detailed: str
    confidence_level: str | None = None


class Payment(msgspec.Struct, frozen=True):
    """What of a transaction tells whether it recurs. A positive `amount` is money out."""

    transaction_id: str
    account_id: str
    date: date
    amount: Decimal
    name: str
    personal_finance_category: _Category
    merchant_name: str | None = None
    iso_currency_code: str | None = None
    unofficial_currency_code: str | None = None

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for payments of one stream."""
        currency = self.iso_currency_code or self.unofficial_currency_code
        who = self.merchant_name or self.name
        return self.account_id, who.casefold(), currency, self.amount > 0


_payment = msgspec.json.Decoder(Payment)


@dataclass(frozen=True)
class Stream:
    """`payments` are oldest first."""

    frequency: Frequency
    payments: Sequence[Payment]

    @property
    def is_outflow(self) -> bool:
        return self.payments[-1].amount > 0

    @property
    def expected(self) -> date:
        """When the payment after the last one should come."""
        return _following(self.frequency.name, [payment.date for payment in self.payments])

    def to_dict(self, ids: Ids, item: int, today: date) -> dict[str, Any]:
        """Plaid's TransactionStream. Its id stays while payments come and go."""
        first, last = self.payments[0], self.payments[-1]
        alive = today <= self.expected + timedelta(days=self.frequency.grace)
        return {
            "account_id": last.account_id,
            "average_amount": _amount(_mean(self.payments), last),
            "category": None,
            "category_id": None,
            "description": last.name,
            "first_date": first.date,
            "frequency": self.frequency.name,
            "is_active": alive,
            "is_user_modified": False,
            "last_amount": _amount(last.amount, last),
            "last_date": last.date,
            "merchant_name": last.merchant_name,
            "personal_finance_category": last.personal_finance_category,
            "predicted_next_date": self.expected if alive else None,
            "status": self._status(alive=alive),
            "stream_id": ids.opaque("stream", item, *last.key),
            "transaction_ids": [payment.transaction_id for payment in self.payments],
        }

    def _status(self, *, alive: bool) -> str:
        """Only a guess that did not come true is TOMBSTONED; what was MATURE ends inactive."""
        if len(self.payments) >= self.frequency.mature:
            return "MATURE"
        return "EARLY_DETECTION" if alive else "TOMBSTONED"


def streams(db: sqlite3.Connection, item: int, accounts: Iterable[sqlite3.Row]) -> list[Stream]:
    """What recurs on these accounts of the Item."""
    watched = [
        row["account_id"]
        for row in accounts
        if msgspec.json.decode(row["body"])["type"] in ACCOUNT_TYPES
    ]
    return find(_payment.decode(body) for body in posted(db, item, watched))


def by_account(
    db: sqlite3.Connection, ids: Ids, item: int, today: date, accounts: Iterable[sqlite3.Row]
) -> dict[str, list[dict[str, Any]]]:
    """What /transactions/recurring/get says of each account on which anything recurs."""
    found: dict[str, list[dict[str, Any]]] = {}
    for stream in streams(db, item, accounts):
        said = stream.to_dict(ids, item, today)
        found.setdefault(said["account_id"], []).append(said)
    return found


def find(payments: Iterable[Payment]) -> list[Stream]:
    """What recurs among `payments`, which are oldest first."""
    groups: dict[tuple[object, ...], list[Payment]] = {}
    for payment in payments:
        groups.setdefault(payment.key, []).append(payment)
    return list(_regular(groups.values()))


def _regular(groups: Iterable[Sequence[Payment]]) -> Iterator[Stream]:
    for group in groups:
        for frequency in FREQUENCIES:
            if _fits(frequency, group):
                yield Stream(frequency, group)
                break


def _fits(frequency: Frequency, group: Sequence[Payment]) -> bool:
    gaps = [(later.date - earlier.date).days for earlier, later in pairwise(group)]
    fitting = [gap for gap in gaps if frequency.low <= gap <= frequency.high]
    if not fitting or len(fitting) < REGULAR * len(gaps):
        return False
    if not frequency.mean_low <= statistics.fmean(fitting) <= frequency.mean_high:
        return False
    return _alike(frequency, [abs(payment.amount) for payment in group])


def _alike(frequency: Frequency, amounts: Sequence[Decimal]) -> bool:
    if len(amounts) < frequency.mature:
        return len(set(amounts)) == 1  # two purchases a week apart are no subscription yet
    factor = ALIKE_ANNUAL if frequency.name == "ANNUALLY" else ALIKE
    usual = statistics.median(amounts)
    alike = [amount for amount in amounts if usual / factor <= amount <= usual * factor]
    return len(alike) >= REGULAR * len(amounts)


def _mean(payments: Sequence[Payment]) -> Decimal:
    total = sum((payment.amount for payment in payments), Decimal())
    return (total / len(payments)).quantize(Decimal("0.01"))


def _amount(amount: Decimal, payment: Payment) -> dict[str, Any]:
    return {
        "amount": amount,
        "iso_currency_code": payment.iso_currency_code,
        "unofficial_currency_code": payment.unofficial_currency_code,
    }


def _following(frequency: str, days: Sequence[date]) -> date:
    last = days[-1]
    if frequency == "WEEKLY":
        return last + timedelta(days=7)
    if frequency == "BIWEEKLY":
        return last + timedelta(days=14)
    if frequency == "MONTHLY":
        return _months_later(last, 1, _usual(days))
    if frequency == "ANNUALLY":
        return _months_later(last, 12, last.day)
    # Twice a month, on the usual day of either half.
    early = [day for day in days if day.day <= 15] or [last]
    late = [day for day in days if day.day > 15] or [last]
    if last.day <= 15:
        return _months_later(last, 0, _usual(late))
    return _months_later(last, 1, _usual(early))


def _usual(days: Sequence[date]) -> int:
    """The day of the month; the last of the month is the 31st, which others are cut down to."""
    (most, times), *_ = Counter(day.day for day in days).most_common()
    ends = [day for day in days if (day + timedelta(days=1)).day == 1]
    return 31 if len(ends) > times or len(ends) == len(days) else most


def _months_later(day: date, months: int, day_of_month: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    longest = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day_of_month, longest))
