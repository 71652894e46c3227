"""How far back a chart of balances goes. The person chooses it above the chart."""

from collections.abc import Callable
from datetime import date, timedelta

from flask_babel import gettext

DAYS = {"1M": 30, "3M": 91, "6M": 182, "1Y": 365}
ALL = "all"
USUAL = "6M"


def known(asked: str | None) -> str:
    """The period in an address. An unknown one counts as the usual one."""
    return asked if asked == ALL or asked in DAYS else USUAL


def start_of(period: str, today: date) -> date:
    return date.min if period == ALL else today - timedelta(days=DAYS[period])


def choices(url_of: Callable[[str], str], shown: str) -> list[tuple[str, str, bool]]:
    """The choices: title, address, and whether it is shown now."""
    titles = gettext("1M"), gettext("3M"), gettext("6M"), gettext("1Y"), gettext("All")
    return [
        (title, url_of(period), period == shown)
        for period, title in zip((*DAYS, ALL), titles, strict=True)
    ]
