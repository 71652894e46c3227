"""One worker's attempt at a pull: reporting how it goes, and how it ends.

Every report is its own short transaction, so pages can watch and the sweep can tell a working pull
from one whose worker died.
"""

import random
from datetime import timedelta
from typing import Any

from plaidapp.bank.errors import BankError
from plaidapp.extensions import db
from plaidapp.store import Pull, PullItem, pulls
from plaidapp.store.types import now

MAX_FAILURES = 3
"""Attempts a person waits for before the pull ends and says so."""
PREPARING_LIMIT = timedelta(minutes=5)
"""How long a pull follows a bank that is still preparing its history."""


class LostPullError(Exception):
    """The pull was given to another worker meanwhile; this one leaves it alone."""


class Attempt:
    """Raises LostPullError from every report once another worker has claimed the pull."""

    def __init__(self, pull: Pull) -> None:
        self.pull = pull
        self.number = pull.attempt

    def report(self, part: PullItem, *, stored: bool = False, **values: Any) -> None:
        """Commits what `part` is doing now, and whatever the caller has added to the session.

        What the caller added is kept even when the pull is lost: a token that is shown once, rows
        that the compare with the cursor guards. What `part` is doing is its new worker's to say.
        """
        alive = pulls.touch(self.pull.id, self.number, stored=stored)
        if alive:
            for name, value in values.items():
                setattr(part, name, value)
        db.session.commit()
        if not alive:
            raise LostPullError

    def beat(self) -> None:
        """A sign of life between two calls to the bank, which may take their time."""
        alive = pulls.touch(self.pull.id, self.number)
        db.session.commit()
        if not alive:
            raise LostPullError

    def part_failed(self, part: PullItem, error: BankError) -> None:
        self.report(
            part,
            phase=pulls.FAILED,
            error_code=error.code,
            error_message=error.message,
            request_id=error.request_id,
        )

    def conclude(self, errors: list[BankError]) -> None:
        """Ends the attempt: done, failed, or queued for another one later."""
        if errors:
            self._fail_or_repeat(errors)
        elif self._bank_is_preparing() and now() - self.pull.created_at < PREPARING_LIMIT:
            self._queue(timedelta(seconds=min(2 ** (self.number - 1), 30)))
        else:
            self._end(state=pulls.DONE, sealed=None)

    def crash(self) -> None:
        """The app itself is at fault; the log has the traceback."""
        self._end(
            state=pulls.FAILED,
            error_code="INTERNAL_ERROR",
            error_message="plaidapp made a mistake here. Nothing that was stored is lost.",
        )

    def _fail_or_repeat(self, errors: list[BankError]) -> None:
        """An error before there was an Item to pin it on stands on the pull itself."""
        shown: dict[str, Any] = {}
        if not self.pull.items:
            shown = {"error_code": errors[0].code, "error_message": errors[0].message}
        failures = self.pull.failures + 1
        if failures < MAX_FAILURES and any(error.retryable for error in errors):
            seconds = 2**failures * random.uniform(0.75, 1.25)  # noqa: S311 jitter, no secret
            self._queue(timedelta(seconds=seconds), failures=failures, **shown)
        else:
            self._end(state=pulls.FAILED, failures=failures, **shown)

    def _bank_is_preparing(self) -> bool:
        return any(part.phase == pulls.PREPARING for part in self.pull.items)

    def _queue(self, delay: timedelta, **values: Any) -> None:
        pulls.touch(
            self.pull.id, self.number, state=pulls.QUEUED, run_after=now() + delay, **values
        )
        db.session.commit()

    def _end(self, **values: Any) -> None:
        pulls.touch(self.pull.id, self.number, ended_at=now(), **values)
        db.session.commit()
