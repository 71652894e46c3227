"""Find recurring transactions: subscriptions, bills and pay.

https://plaid.com/docs/api/products/transactions/#transactionsrecurringget

A stream is a series of payments in one direction between one account and one merchant, at regular
intervals and with similar amounts. Without a merchant, the description identifies the other side.
Streams depend only on the stored transactions and the day.
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

from sandbox.category_versions import Version
from sandbox.ids import Ids
from sandbox.transaction_store import posted_json

ACCOUNT_TYPES = ("depository", "credit")
"""Plaid finds streams on checking, savings and credit card accounts."""
MIN_FITTING_SHARE = Decimal("0.75")
"""The share of intervals that must fit. One extra purchase at the merchant doesn't end a stream."""
MAX_AMOUNT_RATIO = Decimal(2)
"""The largest ratio of an amount to the median, either way: bills vary with the season."""
MAX_ANNUAL_AMOUNT_RATIO = Decimal("1.25")


@dataclass(frozen=True)
class Frequency:
    """One of Plaid's frequencies.

    Two payments are `low` to `high` days apart, and `mean_low` to `mean_high` days on average. A
    stream ends `grace` days after an expected payment that did not arrive. It takes `mature`
    payments to be MATURE.
    """

    name: str
    low: int
    high: int
    mean_low: float
    mean_high: float
    grace: int
    mature: int = 3


MONTH = 30  # days
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
    version: Version = "v1"


class Payment(msgspec.Struct, frozen=True):
    """The fields of a transaction that matter for recurrence. A positive `amount` is money out."""

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
        """Equal for all payments of a stream."""
        currency = self.iso_currency_code or self.unofficial_currency_code
        who = self.merchant_name or self.name
        return self.account_id, who.casefold(), currency, self.amount > 0


_payment_decoder = msgspec.json.Decoder(Payment)


@dataclass(frozen=True)
class Stream:
    """A recurring series. `payments` are oldest first."""

    frequency: Frequency
    payments: Sequence[Payment]

    @property
    def is_outflow(self) -> bool:
        return self.payments[-1].amount > 0

    @property
    def next_date(self) -> date:
        """Return the expected date of the next payment."""
        return _next_date(self.frequency.name, [payment.date for payment in self.payments])

    def to_dict(self, ids: Ids, item: int, today: date) -> dict[str, Any]:
        """Return Plaid's TransactionStream. Its id doesn't change with the list of payments."""
        first, last = self.payments[0], self.payments[-1]
        is_active = today <= self.next_date + timedelta(days=self.frequency.grace)
        return {
            "account_id": last.account_id,
            "average_amount": _amount(_mean(self.payments), last),
            "category": None,
            "category_id": None,
            "description": last.name,
            "first_date": first.date,
            "frequency": self.frequency.name,
            "is_active": is_active,
            "is_user_modified": False,
            "last_amount": _amount(last.amount, last),
            "last_date": last.date,
            "merchant_name": last.merchant_name,
            "personal_finance_category": last.personal_finance_category,
            "predicted_next_date": self.next_date if is_active else None,
            "status": self._status(is_active=is_active),
            "stream_id": ids.opaque("stream", item, *last.key),
            "transaction_ids": [payment.transaction_id for payment in self.payments],
        }

    def _status(self, *, is_active: bool) -> str:
        """Return Plaid's status. A MATURE stream that ends stays MATURE and becomes inactive."""
        if len(self.payments) >= self.frequency.mature:
            return "MATURE"
        return "EARLY_DETECTION" if is_active else "TOMBSTONED"


def find_streams(
    db: sqlite3.Connection, item: int, accounts: Iterable[sqlite3.Row], version: Version = "v1"
) -> list[Stream]:
    """Find the streams on these accounts of an Item."""
    eligible = [
        row["account_id"]
        for row in accounts
        if msgspec.json.decode(row["body"])["type"] in ACCOUNT_TYPES
    ]
    bodies = posted_json(db, item, eligible, version)
    return detect(_payment_decoder.decode(body) for body in bodies)


def streams_by_account(
    db: sqlite3.Connection, ids: Ids, item: int, today: date, accounts: Iterable[sqlite3.Row]
) -> dict[str, list[dict[str, Any]]]:
    """Return Plaid's stream objects by account id, for accounts that have any."""
    by_account: dict[str, list[dict[str, Any]]] = {}
    for stream in find_streams(db, item, accounts):
        fields = stream.to_dict(ids, item, today)
        by_account.setdefault(fields["account_id"], []).append(fields)
    return by_account


def detect(payments: Iterable[Payment]) -> list[Stream]:
    """Find the streams among `payments`, which are oldest first."""
    groups: dict[tuple[object, ...], list[Payment]] = {}
    for payment in payments:
        groups.setdefault(payment.key, []).append(payment)
    return list(_streams_of_groups(groups.values()))


def _streams_of_groups(groups: Iterable[Sequence[Payment]]) -> Iterator[Stream]:
    for group in groups:
        for frequency in FREQUENCIES:
            if _fits(frequency, group):
                yield Stream(frequency, group)
                break


def _fits(frequency: Frequency, group: Sequence[Payment]) -> bool:
    gaps = [(later.date - earlier.date).days for earlier, later in pairwise(group)]
    fitting = [gap for gap in gaps if frequency.low <= gap <= frequency.high]
    if not fitting or len(fitting) < MIN_FITTING_SHARE * len(gaps):
        return False
    if not frequency.mean_low <= statistics.fmean(fitting) <= frequency.mean_high:
        return False
    return _amounts_are_similar(frequency, [abs(payment.amount) for payment in group])


def _amounts_are_similar(frequency: Frequency, amounts: Sequence[Decimal]) -> bool:
    if len(amounts) < frequency.mature:
        return len(set(amounts)) == 1  # two purchases a week apart are not a subscription yet
    ratio = MAX_ANNUAL_AMOUNT_RATIO if frequency.name == "ANNUALLY" else MAX_AMOUNT_RATIO
    median = statistics.median(amounts)
    similar = [amount for amount in amounts if median / ratio <= amount <= median * ratio]
    return len(similar) >= MIN_FITTING_SHARE * len(amounts)


def _mean(payments: Sequence[Payment]) -> Decimal:
    total = sum((payment.amount for payment in payments), Decimal())
    return (total / len(payments)).quantize(Decimal("0.01"))


def _amount(amount: Decimal, payment: Payment) -> dict[str, Any]:
    return {
        "amount": amount,
        "iso_currency_code": payment.iso_currency_code,
        "unofficial_currency_code": payment.unofficial_currency_code,
    }


def _next_date(frequency: str, days: Sequence[date]) -> date:
    last = days[-1]
    if frequency == "WEEKLY":
        return last + timedelta(days=7)
    if frequency == "BIWEEKLY":
        return last + timedelta(days=14)
    if frequency == "MONTHLY":
        # Paid on May 31, what is usually due on the 2nd comes again in July.
        due = [_months_later(last, months, _usual_day(days)) for months in (0, 1, 2)]
        return min(due, key=lambda day: abs((day - last).days - MONTH))
    if frequency == "ANNUALLY":
        return _months_later(last, 12, last.day)
    # Twice a month: the usual day of the other half.
    early = [day for day in days if day.day <= 15] or [last]
    late = [day for day in days if day.day > 15] or [last]
    if last.day <= 15:
        return _months_later(last, 0, _usual_day(late))
    return _months_later(last, 1, _usual_day(early))


def _usual_day(days: Sequence[date]) -> int:
    """Return the most common day of the month. 31 stands for the last day of any month."""
    (most, times), *_ = Counter(day.day for day in days).most_common()
    ends = [day for day in days if (day + timedelta(days=1)).day == 1]
    return 31 if len(ends) > times or len(ends) == len(days) else most


def _months_later(day: date, months: int, day_of_month: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    longest = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day_of_month, longest))
