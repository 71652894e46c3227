"""The page of spending. Its address has the month, the currency and the chosen category."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from flask import abort, render_template, request, url_for

from plaidapp.auth.access import person
from plaidapp.days import long_month, today
from plaidapp.store.base.dates import months_later
from plaidapp.store.connections import items
from plaidapp.store.transactions import monthly_totals

from ..base import asked
from ..base.blueprint import blueprint, polled
from ..base.ledger_polls import unless_unchanged
from ..transactions.filter_form import LONGEST_CODE, NO_CURRENCY
from . import addresses, month
from .period import Period


@dataclass(frozen=True)
class Months:
    """The months to choose from: those since the first with a transaction."""

    period: Period
    first: date
    currency: str | None
    category: str | None

    def _address(self, of: date) -> str:
        return addresses.page(of, self.currency, self.category)

    @property
    def earlier(self) -> str | None:
        """The address of the month before; None if there is nothing before this one."""
        return self._address(self.period.before) if self.period.month > self.first else None

    @property
    def later(self) -> str | None:
        return None if self.period.is_so_far else self._address(months_later(self.period.month, 1))

    @cached_property
    def all(self) -> Sequence[tuple[str, str, bool]]:
        """Name, address, and whether it is shown; the latest first."""
        found, each = [], self.period.today.replace(day=1)
        while each >= self.first:
            found.append(each)
            each = months_later(each, -1)
        if self.period.month < self.first:  # somebody typed it
            found.append(self.period.month)
        return [
            (long_month(each), self._address(each), each == self.period.month) for each in found
        ]


@blueprint.get("/spending", endpoint="spending")
def page() -> str:
    return render_template("finance/spending/spending.html", **_content())


@polled.get("/spending/live")
@unless_unchanged
def spending_live() -> str:
    """The content of the page, once anything changed since `revision`."""
    return render_template("finance/spending/_spending_live.html", **_content())


def _content() -> dict[str, Any]:
    user = person()
    period = Period(asked.month(), today())
    currency, category = _code("currency"), _code("category")
    found = month.of_user(
        user.id, period, "" if currency == NO_CURRENCY else currency, category, user.main_currency
    )
    first = monthly_totals.first_month(user.id) or period.month
    return {
        "spending": found,
        "months": Months(period, first, currency, category),
        "items": items.of_user(user.id),
        "live_url": url_for(
            "polled.spending_live",
            month=request.args.get("month"),
            currency=currency,
            category=category,
            revision=user.ledger_version,
        ),
    }


def _code(name: str) -> str | None:
    """A code in the address; None without one."""
    code = request.args.get(name) or None
    if code and (len(code) > LONGEST_CODE or "\0" in code):
        abort(404)
    return code
