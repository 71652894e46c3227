"""What the dashboard shows. The page and its polls render the same content."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import render_template, request, url_for
from flask_babel import gettext

from plaidapp.days import today
from plaidapp.store import Item, Pull, Transaction
from plaidapp.store.connections import account_questions, items
from plaidapp.store.transactions import reader
from plaidapp.store.transactions.filters import Filter

from ..base.attention import find_among
from ..base.rows_by_day import by_day
from ..connections.connect_forms import ConnectTestBankForm
from ..pulls import pull_view
from ..pulls.range_form import RangeForm
from ..recurring import upcoming
from ..reports import figures
from ..reports.account_balances import ALL, PERIODS
from ..reports.figures import Figures

USUAL_PERIOD = "6M"
DAYS_AHEAD = 10
LATEST = 12


@dataclass(frozen=True)
class Dashboard:
    """`transactions` are the latest ones.

    `expecting` is True while a pull brings something, `expecting_rows` while it reads transactions.
    """

    items: Sequence[Item]
    transactions: Sequence[Transaction]
    figures: Figures
    period: str
    expecting: bool
    expecting_rows: bool

    @property
    def total(self) -> int:
        """How many transactions the person has, hidden ones left out."""
        return self.figures.count.shown

    @property
    def accounts(self) -> int:
        return sum(len(group.accounts) for group in self.figures.groups)

    @property
    def only_history(self) -> bool:
        """The person has disconnected all of their banks."""
        return all(item.disconnected_at for item in self.items)

    @property
    def days(self) -> list[tuple[date, list[Transaction]]]:
        return by_day(self.transactions)

    @property
    def periods(self) -> list[tuple[str, str, bool]]:
        """The periods of the net worth chart: title, address, and whether it is shown now."""
        titles = {
            "1M": gettext("1M"),
            "6M": gettext("6M"),
            "1Y": gettext("1Y"),
            ALL: gettext("All"),
        }
        return [
            (title, url_for("finance.dashboard", period=period), period == self.period)
            for period, title in titles.items()
        ]


def render_page(
    user_id: int,
    connect_form: ConnectTestBankForm | None = None,
    range_form: RangeForm | None = None,
) -> str:
    """The whole page. Pass a form that was refused to show it again with what was typed."""
    return render_template(
        "finance/dashboard/dashboard.html",
        **_content(user_id),
        connect_form=connect_form or ConnectTestBankForm(),
        range_form=range_form or RangeForm(),
    )


def render_live(user_id: int) -> str:
    """Every part of the page that can change, each with its place on the page."""
    return render_template("finance/dashboard/_live.html", **_content(user_id))


def _content(user_id: int) -> dict[str, Any]:
    views = pull_view.recent(user_id)
    active = [view.pull for view in views if view.pull.active and not view.waits_at_plaid]
    return {
        "dashboard": _dashboard(user_id, active),
        "pulls": views,
        "questions": account_questions.any_open(user_id),
        "upcoming": upcoming.of_user(user_id, DAYS_AHEAD),
    }


def _dashboard(user_id: int, active: Sequence[Pull]) -> Dashboard:
    """With the period from the address. An unknown one counts as the usual one."""
    period = request.args.get("period")
    period = period if period in PERIODS else USUAL_PERIOD
    listed = items.of_user(user_id)
    find_among(listed)
    return Dashboard(
        listed,
        reader.page(Filter(user_id), LATEST),
        figures.of_user(user_id, period, today()),
        period,
        expecting=any(not pull.facts.disconnects for pull in active),
        expecting_rows=any(pull.facts.syncs for pull in active),
    )
