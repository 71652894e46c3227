"""One worker's attempt at a pull: what it reports, and how it ends.

Every report is its own short transaction, so that pages can watch, and so that the clock can tell a
working pull from one whose worker died.
"""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from flask import current_app
from sqlalchemy.exc import NoResultFound

from plaidapp.bank.client import Bank
from plaidapp.bank.errors import BankError
from plaidapp.extensions import db
from plaidapp.store import Pull, PullItem
from plaidapp.store.base.types import now
from plaidapp.store.connections import item_states, items, sync_progress
from plaidapp.store.people import users
from plaidapp.store.pulls import pulls, transitions

from ..plaid_limits.gate import Gate
from . import done_signal, next_attempt
from .item_values import begun, in_turn, set_values
from .setbacks import BROKEN, INTERNAL, DisconnectedError, LostPullError, slow_database


class Attempt:
    """Every report raises LostPullError once another worker has claimed the pull.

    Before its Items, a pull may set `waits_until`, when to look again what the person has done at
    Plaid, `verdict`, why it fails when its Items are done, or `own_error`, which is no Item's.
    """

    def __init__(self, pull: Pull) -> None:
        self.pull = pull
        self._id, self.number = pull.id, pull.attempt
        self._over, self.outcome = False, pulls.DONE  # the pull's state at last
        self.go_on()

    def go_on(self) -> None:
        """Begin a round."""
        self.waits_until: datetime | None = None
        self.verdict: BankError | None = None
        self.own_error: BankError | None = None
        self._held_until: datetime | None = None

    @property
    def bank(self) -> Bank:
        """If Plaid's limits leave no room, its calls wait or raise HeldBackError."""
        bank: Bank = current_app.extensions["bank"]
        gate: Gate = current_app.extensions["plaid_gate"]
        return bank.gated(partial(gate.wait_for_turn, self.pull.asked_by))

    @property
    def works_on_items(self) -> bool:
        """False while the person is at Plaid, and if they have left without logging in again."""
        has_left = self.verdict and not self.pull.facts.connects
        return bool(self.pull.items) and not (self.waits_until or has_left)

    @property
    def after_sync(self) -> str:
        """The phase of an Item that is up to date: done, unless it is still to be compared."""
        return pulls.COMPARING if self.pull.facts.checks else pulls.DONE

    def begin(self) -> None:
        """Commit the claim, and that the bank of the first Item is being asked.

        If the person wanted it once more, what is done or compared already is done again."""
        if self.pull.repeats_begun < self.pull.repeats:
            self.pull.repeats_begun = self.pull.repeats
            for pull_item in self.pull.items:
                pull_item.phase = pulls.QUEUED
                pull_item.comparison = None
        for pull_item in () if self.pull.facts.follows_link else in_turn(self.pull.items):
            if not (pull_item.is_idle or pull_item.has_final_error):
                set_values(pull_item, begun(pull_item))
                break
        db.session.commit()

    def lock_ledger(self, pull_item: PullItem) -> None:
        """Lock the person's ledger, to store what the bank sent. Raises DisconnectedError."""
        users.lock_ledger(self.pull.user_id)
        state = items.state_of(pull_item.item_id)
        if state is None or state in item_states.BY_PERSON:
            raise DisconnectedError

    def report_asking(self, pull_item: PullItem) -> None:
        """Commit, and report that reading the Item begins (again), unless the row says so already.
        No transaction is open afterwards: the bank is asked now."""
        values = begun(pull_item)
        if any(getattr(pull_item, name) != value for name, value in values.items()):
            self.report(pull_item, **values)
        else:
            db.session.commit()

    def report(self, pull_item: PullItem, *, stored: bool = False, **values: Any) -> None:
        """Commit `values` of `pull_item`, and whatever the caller has added to the session.

        What the caller added is kept even if the pull is lost: a token that Plaid shows once, rows
        that the comparison with the cursor guards. The phase is then the new worker's to report.
        `stored` says that pages have something new to show. If this was the last thing to do, the
        pull ends in the same transaction.
        """
        if is_done := values.get("phase") == pulls.DONE:
            values["comparison"] = None  # it quotes transactions
        ends = is_done and self._is_last(pull_item)
        with db.session.no_autoflush:  # `pull_item` is written once, by the commit
            if stored:
                users.ledger_changed(self.pull.user_id)
            ends = ends and transitions.finish(self._id, self.number)
            alive = ends or transitions.touch(self._id, self.number)
        if alive:
            set_values(pull_item, values)
        db.session.commit()
        if not alive:
            raise LostPullError
        if ends:
            self._over = True
            done_signal.tell(self._id)

    def go_on_later(self, seconds: float = 0) -> None:
        """Have the pull queued again: others go first, or it is held back. That is no failure."""
        self._held_until = now() + timedelta(seconds=seconds)

    def _is_last(self, pull_item: PullItem) -> bool:
        """Is the pull over when this Item is done?

        A sync of a single Item reports DONE while it holds the Item's lock and has seen that no new
        request came in. With several Items, `conclude` has to look at the others' requests, and
        with a session of Link at the requests to look at Plaid.
        """
        if self.pull.facts.follows_link:
            return False
        alone = len(self.pull.items) == 1 or not self.pull.facts.syncs
        return alone and all(
            other is pull_item or other.phase == pulls.DONE for other in self.pull.items
        )

    def report_failure(self, pull_item: PullItem, error: BankError) -> None:
        """`stored`, because the Item's own state may have changed with it."""
        self.report(
            pull_item,
            stored=True,
            phase=pulls.FAILED,
            error_code=error.code,
            error_message=error.message,
            request_id=error.request_id,
        )

    def roll_back(self) -> None:
        """Undo what is half written, and read the pull and its Items again.

        A rollback expires what was read, and the relationships of a pull never load by accident.
        """
        db.session.rollback()
        try:
            self.pull = pulls.by_id(self._id)
        except NoResultFound:  # the person has had everything deleted
            raise LostPullError from None
        db.session.commit()

    def vanish(self) -> None:
        """Commit that the person is deleted, and the pull with them: there is nothing to report."""
        db.session.commit()
        self._over = True

    def conclude(self, errors: list[BankError]) -> bool:
        """End the attempt unless a report has: done, failed, or queued for a later attempt.

        Return False if a new request for an Item came in, or to look at Plaid, or to ask the banks
        once more: then the work starts again. This is checked under the locks of Items, session or
        pull. So either the request is seen here, or it finds that the pull is over and starts a new
        one.
        """
        if self._over:
            pass
        elif self._held_until:  # whatever else has happened
            self._queue(self._held_until, rung_at=None)
        elif errors:
            self._fail_or_retry(errors)
        elif next_attempt.begin_requested(self.pull, works_on_items=self.works_on_items):
            db.session.commit()
            return False
        elif self.waits_until:
            self._queue(self.waits_until, failures=0)
        elif ask_after := next_attempt.while_preparing(self.pull):
            self._queue(ask_after)
        elif self.verdict:
            code, message = self.verdict.code, self.verdict.message
            self._end(state=pulls.FAILED, error_code=code, error_message=message)
        elif not transitions.finish(self._id, self.number):
            return self._has_lost_or_begins()
        else:
            db.session.commit()
            done_signal.tell(self._id)
        return True

    def _has_lost_or_begins(self) -> bool:
        self.roll_back()
        if (self.pull.state, self.pull.attempt) != (pulls.RUNNING, self.number):
            return True
        self.begin()
        return False

    def _fail_or_retry(self, errors: list[BankError]) -> None:
        """An error that is no Item's is stored with the pull itself."""
        shown: dict[str, Any] = {}
        if error := self.own_error or (not self.pull.items and errors[0]):
            shown = {"error_code": error.code, "error_message": error.message}
        failures = self.pull.failures + 1
        if run_after := next_attempt.after_failure(self.pull, errors):
            self._queue(run_after, failures=failures, **shown)
        else:
            self._end(state=pulls.FAILED, failures=failures, **shown)

    def put_off(self) -> None:
        """Try again later: the database has canceled a statement, and nothing of it is stored."""
        self.roll_back()
        self._interrupt()
        self.own_error = slow_database()
        self._fail_or_retry([self.own_error])

    def _interrupt(self) -> list[PullItem]:
        """Return the Items that are not done. What the pull says of them is over."""
        left = [pull_item for pull_item in self.pull.items if pull_item.phase != pulls.DONE]
        for pull_item in left:
            pull_item.phase = pulls.QUEUED
        return left

    def crash(self) -> None:
        """End the pull after an exception that is this app's fault; the log has the traceback.

        A pull that persists is tried again.
        """
        for pull_item in self._interrupt():
            if self.pull.facts.syncs:
                sync_progress.failing(pull_item.item_id, INTERNAL, BROKEN)
        users.ledger_changed(self.pull.user_id)
        if run_after := next_attempt.after_failure(self.pull, ()):
            self._queue(run_after, failures=self.pull.failures + 1)
        else:
            self._end(state=pulls.FAILED, error_code=INTERNAL, error_message=BROKEN)

    def _queue(self, run_after: datetime, **values: Any) -> None:
        self.outcome = pulls.QUEUED
        transitions.touch(self._id, self.number, state=pulls.QUEUED, run_after=run_after, **values)
        db.session.commit()

    def _end(self, **values: Any) -> None:
        self.outcome = pulls.FAILED
        transitions.touch(self._id, self.number, **{"ended_at": now(), **values})
        db.session.commit()
        done_signal.tell(self._id)
