"""How far a comparison with the bank has come: day by day back from the newest, in windows.

It is stored after each window, so that a comparison of any length can go on in a later attempt: the
bank limits how often it may be asked, and other pulls want their turn.
"""

from datetime import date, datetime, timedelta

import msgspec

from plaidapp import policy
from plaidapp.bank.link_calls import DAYS_REQUESTED
from plaidapp.store import Item, PullItem
from plaidapp.store.base.types import now
from plaidapp.store.connections import check_times
from plaidapp.store.pulls import pulls
from plaidapp.store.transactions import compared_rows

from ..pulls.attempt import Attempt
from .bank_comparison import FUTURE
from .row_comparison import Comparison, Differing


class Progress(msgspec.Struct):
    """What is compared of the days from `since` on. `until` is the newest day that is still to be
    compared, and before `since` once all are.

    `windows` and `sent` count the windows and the bank's rows in them; `compared` and `pending` are
    those of `Comparison`. `has_news` says that the bank has changed rows since the last sync.
    """

    begun_at: datetime
    is_full: bool
    since: date
    until: date
    windows: int = 0
    sent: int = 0
    has_news: bool = False
    compared: dict[str, int] = {}
    pending: dict[str, int] = {}
    differing: dict[str, Differing] = {}

    @property
    def is_over(self) -> bool:
        return self.until < self.since

    def next_window(self, item: Item) -> tuple[date, date]:
        """Return its first and last day. Its rows can be read from the bank within its limit."""
        found = compared_rows.day_of_row(item.user_id, self.until, policy.WINDOW_ROWS)
        return max(found or self.since, self.since), self.until

    def add(self, first: date, window: Comparison) -> None:
        """Add the window that begins on the day `first`. Nothing older is compared once very many
        rows differ: reading everything again is better then."""
        self.windows += 1
        self.sent += window.sent
        for total, more in ((self.compared, window.compared), (self.pending, window.pending)):
            for plaid_id, count in more.items():
                total[plaid_id] = total.get(plaid_id, 0) + count
        for plaid_id, row in window.differing.items():
            before = self.differing.get(plaid_id)
            self.differing[plaid_id] = _joined(before, row) if before else row
        self.until = first - timedelta(days=1)
        if len(self.differing) > policy.DIFFERENCES_READ:
            self.since = first


def _joined(one: Differing, other: Differing) -> Differing:
    """A row whose days are in two windows: here it has another day than at the bank."""
    here, there = (one, other) if one.ours else (other, one)
    return here._replace(theirs=there.theirs)


def of(attempt: Attempt, pull_item: PullItem) -> Progress:
    """Return what an earlier attempt has compared, unless that is too long ago."""
    if stored := pull_item.comparison:
        found = msgspec.json.decode(stored, type=Progress)
        if found.begun_at > now() - policy.CHECK_INTERVAL:
            return found
    is_full = attempt.pull.asked_by != pulls.CLOCK or check_times.is_full_due(pull_item.item)
    days = DAYS_REQUESTED if is_full else policy.CHECKED_DAYS
    today = now().date()
    return Progress(now(), is_full, today - timedelta(days=days), today + FUTURE)


def report(attempt: Attempt, pull_item: PullItem, progress: Progress) -> None:
    """Store it."""
    text = msgspec.json.encode(progress).decode()
    attempt.report(pull_item, phase=pulls.COMPARING, rows=progress.sent, comparison=text)
