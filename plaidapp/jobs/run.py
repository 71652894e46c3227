"""The one job function. RQ calls it with a pull's id and nothing else.

It claims the pull, does the work of its kind at each Item, and writes how it ended. It returns
nothing: the row says everything.
"""

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext

from flask import current_app, has_app_context
from rq.timeouts import JobTimeoutException
from sqlalchemy.exc import DataError, OperationalError

from plaidapp import policy
from plaidapp.bank.error_sentences import NONSENSE, PRODUCT_NOT_READY, TIMEOUT
from plaidapp.bank.errors import BankError, transport_error
from plaidapp.extensions import db, repeatable, was_canceled
from plaidapp.log_context import about
from plaidapp.metrics import sending
from plaidapp.store import PullItem
from plaidapp.store.connections import item_states, items, sync_progress
from plaidapp.store.pulls import kinds, pulls, transitions

from . import queue
from .connections import item_state
from .connections.connect import connect
from .connections.follow_session import follow
from .connections.link_looks import look_unseen
from .connections.read_accounts import refresh_balances
from .connections.read_status import read_status
from .connections.remove import remove
from .people.erase import erase
from .plaid_limits.gate import HeldBackError
from .pulls.attempt import Attempt
from .pulls.heartbeat import beating
from .pulls.item_values import in_turn
from .pulls.lines import click_waits
from .pulls.outcomes import counted
from .pulls.setbacks import DisconnectedError, LostPullError
from .recurring.fetch_streams import read_streams
from .transactions.check import check, repair
from .transactions.fetch import RefusedCursorError
from .transactions.refresh import refresh
from .transactions.sync import first_sync, resume, start_over, sync
from .worker_app import worker_app

log = logging.getLogger(__name__)

Begin = Callable[[Attempt], None]
Work = Callable[[Attempt, PullItem], None]

BEGIN: dict[str, Begin] = {
    kinds.LINK: connect,
    kinds.CONNECT: follow,
    kinds.RECONNECT: follow,
    kinds.LOOK: look_unseen,
    kinds.ERASE: erase,
}
"""What a pull of some kinds does first, before its Items. The functions raise BankError."""

WORK: dict[str, Work] = {
    kinds.LINK: first_sync,
    kinds.CONNECT: first_sync,
    kinds.RECONNECT: resume,
    kinds.ACCOUNTS: refresh_balances,
    kinds.TRANSACTIONS: sync,
    kinds.TOTAL: sync,
    kinds.REPAIR: repair,
    kinds.CHECK: check,
    kinds.RECURRING: read_streams,
    kinds.REFRESH: refresh,
    kinds.STATUS: read_status,
    kinds.REMOVE: remove,
    kinds.DISCONNECT: remove,
}
"""What a pull of each kind does at one Item. The functions raise BankError."""


class BrokenOffError(Exception):
    """What RQ logs, and keeps in Redis, in place of an error that may quote private values."""


def run(pull_id: int) -> None:
    """Do the work of this pull, unless it is over or another worker has claimed it.

    It runs in the app context that there is, or in one of the worker's own app.
    """
    if has_app_context():
        _run(pull_id)
        return
    with worker_app().app_context(), about(pull=pull_id):
        try:
            _run(pull_id)
        except Exception:
            log.exception("The attempt broke off")
            raise BrokenOffError from None
        finally:
            sending.send_if_alone(current_app.extensions["redis"])


def _run(pull_id: int) -> None:
    if not transitions.claim(pull_id):  # e.g. the queue was rung twice
        db.session.commit()
        return
    attempt = Attempt(pulls.by_id(pull_id))
    with about(pull=pull_id, attempt=attempt.number):
        _go_through(attempt, pull_id)


def _go_through(attempt: Attempt, pull_id: int) -> None:
    attempt.begin()  # it waits for the disk: no two attempts may ever have the same number
    can_be_lost = repeatable() if attempt.pull.facts.only_reads else nullcontext()
    try:
        with can_be_lost, counted(attempt), beating(pull_id, attempt.number):
            while not attempt.conclude(_work(attempt)):
                pass
        queue.ring_next(attempt.pull)
    except LostPullError:
        log.warning("The pull was given to another worker")
    except OperationalError as error:
        db.session.rollback()
        if not was_canceled(error):
            # The database is away. The row still says "running": the clock will find it orphaned.
            raise
        log.warning("A statement took too long: %s", type(error.orig).__name__)
        attempt.put_off()
    except Exception:
        attempt.roll_back()
        attempt.crash()
        raise


def _work(attempt: Attempt) -> list[BankError]:
    """Return the errors of all Items."""
    attempt.go_on()
    if (begin := BEGIN.get(attempt.pull.kind)) and not _is_needless(attempt):
        try:
            begin(attempt)
        except HeldBackError as held:
            attempt.roll_back()
            attempt.go_on_later(held.wait)
            return []
        except (BankError, DataError, JobTimeoutException) as problem:
            attempt.roll_back()
            attempt.own_error = _as_bank_error(problem)
            return [attempt.own_error]
    return _work_on_items(attempt, WORK[attempt.pull.kind]) if attempt.works_on_items else []


def _is_needless(attempt: Attempt) -> bool:
    """Has the person disconnected the Item that they were about to log in to again?"""
    states = [pull_item.item.state for pull_item in attempt.pull.items]
    if not states or attempt.pull.facts.connects:
        return False
    return all(_is_over(attempt, state, item_states.BY_PERSON) for state in states)


def _work_on_items(attempt: Attempt, work: Work) -> list[BankError]:
    """Call `work` for each Item that has something to do, and return the errors.

    A pull over many Items lets other clicks go first from time to time, and goes on later. No bank
    suffers from another's errors: syncs that have to start over come after the others, and
    a bank that needs the person is not asked again because another one failed for a moment.
    """
    errors: list[BankError] = []
    refused: list[PullItem] = []
    begun, has_worked = time.monotonic(), False
    for pull_item in in_turn(attempt.pull.items):
        if pull_item.is_idle:
            continue
        if _is_over(attempt, pull_item.item.state, item_states.BY_PERSON):
            attempt.report(pull_item, phase=pulls.DONE)
            continue
        if pull_item.has_final_error:
            errors.append(_final_error(pull_item))
            continue
        has_had_turn = has_worked and time.monotonic() - begun > policy.PULL_TURN
        if has_had_turn and not refused and click_waits(attempt.pull.id):
            attempt.go_on_later()
            return errors
        has_worked = True
        try:
            errors += _try(attempt, pull_item, work)
        except RefusedCursorError:
            attempt.report(pull_item, phase=pulls.QUEUED)
            refused.append(pull_item)
    for pull_item in refused:
        errors += _try(attempt, pull_item, start_over)
    return errors


def _try(attempt: Attempt, pull_item: PullItem, work: Work) -> list[BankError]:
    """Return the error, if there is one that fails the attempt. Raises RefusedCursorError."""
    requests = pull_item.item.sync_requested  # a request made from now on is for the next sync
    try:
        work(attempt, pull_item)
    except DisconnectedError:
        attempt.roll_back()
        attempt.report(pull_item, phase=pulls.DONE)
    except HeldBackError as held:
        attempt.roll_back()
        attempt.go_on_later(held.wait)
        attempt.report(pull_item, phase=pulls.QUEUED)
    except (BankError, DataError, JobTimeoutException) as problem:
        attempt.roll_back()
        error = _as_bank_error(problem)
        if _is_over(attempt, items.state_of(pull_item.item_id), item_states.ENDED):
            attempt.report(pull_item, phase=pulls.DONE)
        elif error.code == PRODUCT_NOT_READY:  # not a failure: the bank needs more time
            if attempt.pull.facts.syncs:
                sync_progress.not_ready(pull_item.item_id, requests)
            attempt.report(
                pull_item, stored=True, phase=pulls.PREPARING, request_id=error.request_id
            )
        else:
            _fail(attempt, pull_item, error)
            return [error]
    return []


def _is_over(attempt: Attempt, state: str | None, final: Sequence[str]) -> bool:
    """Is there nothing to do at an Item in this state, and so no failure, if these are `final`?

    An Item that was replaced is still read if it works. It can't fail: its successor is asked
    instead.
    """
    return state in final and not attempt.pull.facts.runs_on_ended


def _fail(attempt: Attempt, pull_item: PullItem, error: BankError) -> None:
    if not error.retryable:
        item_state.set_error(pull_item.item_id, error)
    elif attempt.pull.facts.syncs:
        item_state.set_failing(pull_item.item, error)
    attempt.report_failure(pull_item, error)


def _final_error(pull_item: PullItem) -> BankError:
    """Return the error of an earlier attempt."""
    code, sentence = pull_item.error_code or "", pull_item.error_message or ""
    return BankError(code, sentence, retryable=False)


def _as_bank_error(problem: Exception) -> BankError:
    if isinstance(problem, BankError):
        return problem
    # DataError: the bank sent what the database refuses to store, such as a NUL in a text.
    return transport_error(NONSENSE if isinstance(problem, DataError) else TIMEOUT)
