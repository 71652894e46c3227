"""What the spending of a month is made of: its detailed categories."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from plaidapp.store.transactions.detailed_totals import DetailedSum


class Part(NamedTuple):
    """Purchases less refunds under a detailed category; negative if the refunds are larger."""

    code: str
    amount: Decimal


def of(sums: Iterable[DetailedSum], month: date) -> defaultdict[tuple[str, str], list[Part]]:
    """By currency and category, the largest part first."""
    found: defaultdict[tuple[str, str], list[Part]] = defaultdict(list)
    for each in sums:
        if each.month == month and each.spent is not None:
            found[each.currency, each.category].append(Part(each.detailed, each.spent))
    for parts in found.values():
        parts.sort(key=lambda part: (-part.amount, part.code))
    return found
