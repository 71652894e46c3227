"""Where the figures of the page are explained."""

from collections.abc import Sequence
from datetime import date

from flask import url_for

from plaidapp.store.base.dates import last_of_month


def spent(month: date, currency: str, *categories: str, through: date | None = None) -> str:
    """Of all categories if none is named. Through the last day of the month without `through`."""
    return url_for(
        "finance.explain_spending",
        month=_text(month),
        through=_within(month, through),
        category=categories or None,
        currency=currency,
    )


def change(month: date, compared: date, currency: str, *categories: str) -> str:
    """What was spent in a month, less what was spent in the month before through `compared`."""
    return url_for(
        "finance.explain_spending_change",
        month=_text(month),
        compared=compared.isoformat(),
        category=categories or None,
        currency=currency,
    )


def average(month: date, currency: str, category: str) -> str:
    return url_for(
        "finance.explain_average", month=_text(month), category=category, currency=currency
    )


def earned(month: date, currency: str, codes: Sequence[str] = ()) -> str:
    """Of all income if no detailed category is named."""
    return url_for(
        "finance.explain_earned", month=_text(month), category=codes or None, currency=currency
    )


def saved(month: date, currency: str) -> str:
    return url_for("finance.explain_cash_flow", month=_text(month), part="net", currency=currency)


def page(month: date, currency: str | None = None, category: str | None = None) -> str:
    return url_for(
        "finance.spending", month=_text(month), currency=currency or None, category=category or None
    )


def _text(month: date) -> str:
    return f"{month:%Y-%m}"


def _within(month: date, day: date | None) -> str | None:
    return day.isoformat() if day and day != last_of_month(month) else None
