"""A pull as its panel shows it, on the page and in the answer to a poll alike."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from flask import redirect, render_template, url_for
from flask_babel import gettext
from werkzeug import Response

from plaidapp.bank.errors import HOPELESS, NEEDS_LINK
from plaidapp.forms import TextForm
from plaidapp.htmx import is_htmx
from plaidapp.store import Pull, Transaction
from plaidapp.store.base.types import now
from plaidapp.store.pulls import pulls, shown_pulls
from plaidapp.store.transactions import filter_totals, reader
from plaidapp.store.transactions.filters import Filter

from ..base import institutions
from ..base.rows_by_day import by_day
from . import link_view
from .link_view import LinkView

MOST_ROWS = 10
PULLS_SHOWN = 3


@dataclass(frozen=True)
class PullView:
    """A pull and, once it is done, the rows or the count that the person asked for.

    `link` is what it shows of a session at Plaid.
    """

    pull: Pull
    total: int | None = None
    rows: Sequence[Transaction] = ()
    link: LinkView | None = None

    @property
    def days(self) -> list[tuple[date, list[Transaction]]]:
        return by_day(self.rows)

    @property
    def lists_rows(self) -> bool:
        """Did the person ask for the rows of a range, not just for their number?"""
        return self.pull.facts.lists_rows and self.pull.start_date is not None

    @property
    def wait(self) -> timedelta | None:
        """Time until the next attempt, rounded up to whole seconds; None if it is due."""
        seconds = math.ceil((self.pull.run_after - now()).total_seconds())
        return timedelta(seconds=seconds) if seconds > 0 else None

    @property
    def may_try_again(self) -> bool:
        waits = self.pull.state == pulls.QUEUED and self.pull.failures > 0
        failed = self.pull.state == pulls.FAILED and self.pull.error_code not in HOPELESS
        wrong = [part.error_code for part in self.pull.items if part.phase == pulls.FAILED]
        can_only_fail = wrong and all(code in NEEDS_LINK for code in wrong)
        return waits or (failed and not can_only_fail and not (self.link and self.link.has_failed))

    @property
    def may_be_dismissed(self) -> bool:
        return self.pull.state == pulls.FAILED or self.waits_at_plaid

    @property
    def says_anything(self) -> bool:
        """What a finished pull did is forgotten with the history that it stored."""
        tells_count = self.total is not None
        return self.pull.state != pulls.DONE or tells_count or bool(self.pull.items)

    @property
    def waits_at_plaid(self) -> bool:
        return self.link is not None and self.link.is_waiting

    @property
    def bank(self) -> str:
        """The bank's name for a pull that has no Item yet."""
        return institutions.NAMES.get(self.pull.institution_id or "", gettext("Your bank"))


def view_of(pull: Pull) -> PullView:
    if pull.state != pulls.DONE or pull.start_date is None or pull.end_date is None:
        return PullView(pull, link=link_view.of_pull(pull))
    in_range = pull.user_id, pull.start_date, pull.end_date
    rows = reader.page(Filter(*in_range), MOST_ROWS) if PullView(pull).lists_rows else ()
    return PullView(pull, filter_totals.count_between(*in_range), rows)


def recent(user_id: int) -> list[PullView]:
    """The person's latest pulls, newest first."""
    views = [view_of(pull) for pull in shown_pulls.recent(user_id, PULLS_SHOWN)]
    return [view for view in views if view.says_anything]


def render(pull: Pull) -> str:
    return render_template("finance/pulls/_pull.html", view=view_of(pull))


def answer(pull: Pull, **forms: TextForm) -> str | Response:
    """Answer the action that changed the pull, without JavaScript by a redirect to the dashboard.

    HTMX gets the panel. It also gets `forms` again, which removes an earlier refusal from them.
    """
    if is_htmx():
        return render(pull) + render_template("finance/pulls/_accepted.html", **forms)
    return redirect(url_for("finance.dashboard", _anchor=f"pull-{pull.id}"))
