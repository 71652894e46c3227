"""One worker's attempt at a pull: reporting how it goes, and how it ends.

Every report is its own short transaction, so pages can watch and the sweep can tell a working pull
from one whose worker died.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from plaidapp import policy
from plaidapp.bank.errors import BankError
from plaidapp.extensions import db
from plaidapp.store import Pull, PullItem
from plaidapp.store.base.types import now
from plaidapp.store.connections import items
from plaidapp.store.people import users
from plaidapp.store.pulls import pulls, transitions
from plaidapp.texts import gettext_noop

from . import done_signal

NEVER_BEHIND = (pulls.ACCOUNTS, pulls.RECURRING)
"""Kinds of pulls that do not count as an answer to a request for a sync."""


class LostPullError(Exception):
    """The pull was given to another worker meanwhile; this one leaves it alone."""


class Attempt:
    """Raises LostPullError from every report once another worker has claimed the pull."""

    def __init__(self, pull: Pull) -> None:
        self.pull = pull
        self.number = pull.attempt
        self._id = pull.id
        self._over = False

    def begin(self) -> None:
        """Commits the claim, and that the first Item is being asked."""
        for part in self.pull.items:
            if part.phase != pulls.DONE:
                _set(part, _asked(part))
                break
        db.session.commit()

    def ask(self, part: PullItem) -> None:
        """Reports that the Item is being asked from the beginning, unless that is said already."""
        asked = _asked(part)
        if any(getattr(part, name) != value for name, value in asked.items()):
            self.report(part, **asked)

    def report(self, part: PullItem, *, stored: bool = False, **values: Any) -> None:
        """Commits what `part` is doing now, and whatever the caller has added to the session.

        What the caller added is kept even when the pull is lost: a token that is shown once, rows
        that the compare with the cursor guards. What `part` is doing is its new worker's to say.
        `stored` says that something was among it that open pages show. What is last to be done ends
        the pull as well.
        """
        if stored:
            users.ledger_changed(self.pull.user_id)
        ends = values.get("phase") == pulls.DONE and self._is_last(part)
        alive = transitions.touch(self._id, self.number, **(_done() if ends else {}))
        if alive:
            _set(part, values)
        db.session.commit()
        if not alive:
            raise LostPullError
        if ends:
            self._over = True
            done_signal.tell(self._id)

    def _is_last(self, part: PullItem) -> bool:
        """Nothing is left to do when this part is done. Whoever reports a sync of an only Item as
        done holds the Item's lock, and has seen that it is not asked for again; with several there
        is more to look up, see `conclude`."""
        only = len(self.pull.items) == 1 or self.pull.kind in NEVER_BEHIND
        return only and all(other is part or other.phase == pulls.DONE for other in self.pull.items)

    def roll_back(self) -> None:
        """After an error: nothing stays half written, and the pull is read anew with its parts.

        A rollback forgets what was read, and what belongs to a pull is never read by accident.
        """
        db.session.rollback()
        self.pull = pulls.by_id(self._id)
        db.session.commit()

    def part_failed(self, part: PullItem, error: BankError) -> None:
        """The Item's own state may have changed with it, which open pages show."""
        self.report(
            part,
            stored=True,
            phase=pulls.FAILED,
            error_code=error.code,
            error_message=error.message,
            request_id=error.request_id,
        )

    def conclude(self, errors: list[BankError]) -> bool:
        """Ends the attempt unless a report has: done, failed, or queued for another one later.

        False when there is another round to go: an Item was asked for again meanwhile. That is
        looked up under the Items' locks, so that whoever asks either is seen here or sees us done.
        """
        if self._over:
            pass
        elif errors:
            self._fail_or_repeat(errors)
        elif self._bank_is_preparing() and now() - self.pull.created_at < policy.PREPARING_LIMIT:
            self._queue(policy.preparing_delay(self.number))
        elif behind := self._behind():
            for part in behind:
                part.phase = pulls.QUEUED
            db.session.commit()
            return False
        else:
            self._end(**_done())
        return True

    def _behind(self) -> list[PullItem]:
        if self.pull.kind in NEVER_BEHIND:
            return []
        return [part for part in self.pull.items if items.lock(part.item_id).is_behind]

    def crash(self) -> None:
        """The app itself is at fault; the log has the traceback."""
        for part in self.pull.items:
            if part.phase != pulls.DONE:
                part.phase = pulls.QUEUED  # stopped in the middle of whatever it was
        self._end(
            state=pulls.FAILED,
            error_code="INTERNAL_ERROR",
            error_message=gettext_noop("Something broke on our side. Your stored data is safe."),
        )

    def _fail_or_repeat(self, errors: list[BankError]) -> None:
        """An error before there was an Item to pin it on stands on the pull itself."""
        shown: dict[str, Any] = {}
        if not self.pull.items:
            shown = {"error_code": errors[0].code, "error_message": errors[0].message}
        failures = self.pull.failures + 1
        most = policy.max_failures(attended=self.pull.asked_by == pulls.PERSON)
        if failures < most and any(error.retryable for error in errors):
            delay = policy.retry_delay(failures, [error.wait for error in errors])
            self._queue(delay, failures=failures, **shown)
        else:
            self._end(state=pulls.FAILED, failures=failures, **shown)

    def _bank_is_preparing(self) -> bool:
        return any(part.phase == pulls.PREPARING for part in self.pull.items)

    def _queue(self, delay: timedelta, **values: Any) -> None:
        transitions.touch(
            self.pull.id, self.number, state=pulls.QUEUED, run_after=now() + delay, **values
        )
        db.session.commit()

    def _end(self, **values: Any) -> None:
        transitions.touch(self._id, self.number, **{"ended_at": now(), **values})
        db.session.commit()
        done_signal.tell(self._id)


def _asked(part: PullItem) -> dict[str, Any]:
    """How the part of an Item begins. While a bank prepares, whoever watches is told just that."""
    phase = pulls.PREPARING if part.phase == pulls.PREPARING else pulls.ASKING
    return {"phase": phase, "pages": 0, "rows": 0, "error_code": None, "error_message": None}


def _set(part: PullItem, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(part, name, value)


def _done() -> dict[str, Any]:
    return {"state": pulls.DONE, "ended_at": now(), "sealed": None}
