"""What the pages and panels show, gathered once for both. Queries here, words in the templates."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from flask import render_template, request, url_for
from flask_babel import gettext

from plaidapp.bank.errors import HOPELESS
from plaidapp.store import Item, Pull, Transaction, User
from plaidapp.store.connections import items
from plaidapp.store.pulls import pulls
from plaidapp.store.transactions import filter_totals, reader
from plaidapp.store.transactions.filters import Filter

from .forms import TEST_BANKS, ConnectTestBankForm, RangeForm, today
from .recurring import recurring_pages
from .reports import overview
from .reports.balance_sheet import ALL, PERIODS
from .reports.overview import Overview

USUAL_PERIOD = "6M"
DAYS_AHEAD = 10
LATEST = 12
OF_RANGE = 10
BANK_NAMES: dict[str, str] = {bank.value: bank.label for bank in TEST_BANKS}
PULLS_SHOWN = 3


@dataclass(frozen=True)
class Ledger:
    """What is stored of one person, for the panels; `expecting`: and more is on its way."""

    items: Sequence[Item]
    transactions: Sequence[Transaction]
    overview: Overview
    period: str
    expecting: bool

    @property
    def total(self) -> int:
        return self.overview.count.shown

    @property
    def accounts(self) -> int:
        return sum(len(group.accounts) for group in self.overview.groups)

    @property
    def days(self) -> list[tuple[date, list[Transaction]]]:
        return by_day(self.transactions)

    @property
    def periods(self) -> list[tuple[str, str, bool]]:
        """Those that the line of net worth can show: its title, its address, is it this one."""
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


def by_day(rows: Sequence[Transaction]) -> list[tuple[date, list[Transaction]]]:
    """Rows that come newest first, a group a day."""
    return [(day, list(group)) for day, group in groupby(rows, key=lambda row: row.date)]


def ledger_of(user_id: int, expecting: bool) -> Ledger:
    """With the period of the address; one that there is none of is the usual one."""
    asked = request.args.get("period")
    period = asked if asked in PERIODS else USUAL_PERIOD
    return Ledger(
        items.of_user(user_id),
        reader.page(Filter(user_id), LATEST),
        overview.of(user_id, period, today()),
        period,
        expecting,
    )


@dataclass(frozen=True)
class PullView:
    """A pull and, once it is done, what it was asked to show."""

    pull: Pull
    total: int | None = None
    rows: Sequence[Transaction] = ()

    @property
    def days(self) -> list[tuple[date, list[Transaction]]]:
        return by_day(self.rows)

    @property
    def lists(self) -> bool:
        """Is it for rows that it was asked, and not for their number?"""
        return self.pull.kind == pulls.TRANSACTIONS and self.pull.start_date is not None

    @property
    def may_try_again(self) -> bool:
        waits = self.pull.state == pulls.QUEUED and self.pull.failures > 0
        failed = self.pull.state == pulls.FAILED and self.pull.error_code not in HOPELESS
        return waits or failed

    @property
    def may_be_dismissed(self) -> bool:
        return self.pull.state == pulls.FAILED

    @property
    def bank(self) -> str:
        """The bank of a connection that has no Item yet."""
        return BANK_NAMES.get(self.pull.institution_id or "", gettext("Your bank"))


def view_of(pull: Pull) -> PullView:
    if pull.state != pulls.DONE or pull.start_date is None or pull.end_date is None:
        return PullView(pull)
    wanted = pull.user_id, pull.start_date, pull.end_date
    rows = reader.page(Filter(*wanted), OF_RANGE) if PullView(pull).lists else ()
    return PullView(pull, filter_totals.count_between(*wanted), rows)


def render_pull(pull: Pull) -> str:
    """The one renderer of a pull, for the page and for the poll."""
    return render_template("finance/pulls/_pull.html", view=view_of(pull))


def render_live(user: User) -> str:
    """Every list of the dashboard, each for its own place."""
    return render_template("finance/reports/_live.html", **_shown(user.id))


def _shown(user_id: int) -> dict[str, Any]:
    views = [view_of(pull) for pull in pulls.recent(user_id, PULLS_SHOWN)]
    expecting = any(view.pull.active for view in views)
    return {
        "ledger": ledger_of(user_id, expecting),
        "pulls": views,
        "upcoming": recurring_pages.upcoming(user_id, DAYS_AHEAD),
    }


def render_dashboard(
    user_id: int,
    connect_form: ConnectTestBankForm | None = None,
    range_form: RangeForm | None = None,
) -> str:
    """The whole page; the forms are given when what was typed into them has to be shown again."""
    return render_template(
        "finance/reports/dashboard.html",
        **_shown(user_id),
        connect_form=connect_form or ConnectTestBankForm(formdata=None),
        range_form=range_form or RangeForm(formdata=None),
    )
