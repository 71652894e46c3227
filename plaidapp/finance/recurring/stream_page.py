"""One recurring payment: its amounts over time, and its payments. A sheet, or a page of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from itertools import groupby

from flask import render_template
from flask_babel import gettext

from plaidapp import policy
from plaidapp.auth.access import LARGEST_BIG_ID, owned_or_404
from plaidapp.days import since, today
from plaidapp.formats import money
from plaidapp.htmx import is_htmx
from plaidapp.store import Stream, Transaction
from plaidapp.store.recurring import recurring_streams

from ..base.blueprint import blueprint
from ..charts.sparkline import Sparkline

MOST_PRICES = 3
"""A sentence names so many amounts. What changes more often has a lowest and a highest one."""


@dataclass(frozen=True)
class StreamPage:
    """`rows` are the latest payments, the last one first."""

    stream: Stream
    rows: Sequence[Transaction]

    @cached_property
    def paid(self) -> list[tuple[date, Decimal]]:
        """Each payment's day and positive amount, oldest first. Refunds are left out."""
        direction = self.stream.direction
        return [
            (row.date, abs(row.amount))
            for row in reversed(self.rows)
            if recurring_streams.is_payment(direction, row.amount)
        ]

    @property
    def today(self) -> date:
        return today()

    @property
    def chart(self) -> Sparkline | None:
        amounts = [amount for _, amount in self.paid]
        return Sparkline(amounts) if len(set(amounts)) > 1 else None

    @property
    def prices(self) -> str:
        """Such as "$15.49 until March, $17.99 since April" or "Between $62.00 and $164.00"."""
        runs = [list(run) for _, run in groupby(self.paid, key=lambda payment: payment[1])]
        if not runs:
            return ""
        if len(runs) > MOST_PRICES:
            amounts = [amount for _, amount in self.paid]
            low, high = self._money(min(amounts)), self._money(max(amounts))
            return gettext("Between %(low)s and %(high)s", low=low, high=high)
        *before, latest = runs
        if not before:
            return gettext("%(amount)s each time", amount=self._money(latest[0][1]))
        until = [
            gettext("%(amount)s until %(month)s", amount=self._money(amount), month=since(day))
            for day, amount in (run[-1] for run in before)
        ]
        day, amount = latest[0]
        now = gettext("%(amount)s since %(month)s", amount=self._money(amount), month=since(day))
        return ", ".join([*until, now])

    def _money(self, amount: Decimal) -> str:
        return money(amount, self.stream.currency)


@blueprint.get("/recurring/<int:stream_id>")
def recurring_stream(stream_id: int) -> str:
    stream = owned_or_404(recurring_streams.owned, stream_id, LARGEST_BIG_ID)
    page = StreamPage(stream, recurring_streams.payments(stream, policy.PRICES_SHOWN))
    name = "_stream" if is_htmx() else "stream"
    return render_template(f"finance/recurring/{name}.html", page=page)
