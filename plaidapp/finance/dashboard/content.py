"""What the dashboard shows. The page and its polls render the same content."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from flask import render_template, request, url_for
from flask_babel import gettext, ngettext

from plaidapp.auth.access import person
from plaidapp.days import today
from plaidapp.formats import listed, number
from plaidapp.store import Item, Pull
from plaidapp.store.base.dates import month_of
from plaidapp.store.connections import account_questions, checks, items

from ..base import proof
from ..base.attention import find_among, is_in_banner
from ..base.proof import Proof
from ..base.standing import CURRENT, standing
from ..connections.connect_forms import ConnectTestBankForm
from ..pulls import pull_view
from ..pulls.range_form import RangeForm
from ..recurring import upcoming
from ..reports import figures, periods
from ..reports.figures import Figures
from ..reports.net_worth import NetWorth
from ..transactions import latest
from ..transactions.latest import Latest

DAYS_AHEAD = 10
MOST_NAMED = 3
"""Accounts that a sentence names; of more it says how many there are."""


@dataclass(frozen=True)
class Dashboard:
    """`latest` are the latest transactions.

    `expecting` is True while a pull brings something, `expecting_rows` while it reads transactions.
    """

    items: Sequence[Item]
    latest: Latest
    figures: Figures
    period: str
    proof: Proof
    expecting: bool
    expecting_rows: bool

    @property
    def out_of_date(self) -> list[Item]:
        """Connections that are not up to date, as far as the banner does not say so."""
        listed = (item for item in self.items if standing(item) != CURRENT)
        return [item for item in listed if not is_in_banner(item)]

    @property
    def awaits_accounts(self) -> bool:
        """Placeholders are shown as soon as the first connection begins."""
        return self.expecting or not self.items

    @property
    def awaits_rows(self) -> bool:
        return self.expecting_rows or not self.items

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
    def lead(self) -> NetWorth | None:
        """The net worth in the currency that leads."""
        return next(iter(self.figures.net_worth), None)

    @property
    def others(self) -> Sequence[NetWorth]:
        return self.figures.net_worth[1:]

    @property
    def first_of_month(self) -> date:
        return month_of(today())

    @property
    def period_title(self) -> str:
        return {
            "1M": gettext("One month"),
            "3M": gettext("Three months"),
            "6M": gettext("Six months"),
            "1Y": gettext("One year"),
            periods.ALL: gettext("Since the beginning"),
        }[self.period]

    @cached_property
    def estimate_sentence(self) -> str:
        """What the line of the leading currency assumes, said once."""
        estimates = self.lead.estimates if self.lead else ()
        names = [account.title for each in estimates for account in each.accounts]
        if not names:
            return ""
        if len(names) > MOST_NAMED:
            return gettext(
                "%(num)s accounts have no early history; the line assumes they did not change.",
                num=number(len(names)),
            )
        return ngettext(
            "%(accounts)s has no early history; the line assumes it did not change.",
            "%(accounts)s have no early history; the line assumes they did not change.",
            len(names),
            accounts=listed(names),
        )

    @property
    def periods(self) -> list[tuple[str, str, bool]]:
        """The periods of the net worth chart: title, address, and whether it is shown now."""
        return periods.choices(
            lambda period: url_for("finance.dashboard", period=period), self.period
        )


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
    period = periods.known(request.args.get("period"))
    listed = items.of_user(user_id)
    find_among(listed)
    shown = figures.of_user(user_id, period, today(), person().main_currency)
    rows = [row.account for group in shown.groups for row in group.accounts]
    return Dashboard(
        listed,
        # An open row must not fall off the list when newer ones arrive.
        latest.of_user(user_id, latest.SHOWN * 2 if "hold" in request.args else latest.SHOWN),
        shown,
        period,
        proof.of_accounts(rows, listed, checks.of_user(user_id)),
        expecting=any(not pull.facts.disconnects for pull in active),
        expecting_rows=any(pull.facts.syncs for pull in active),
    )
