"""The one job function. RQ calls it with a pull's id and nothing else.

It claims the pull, does the work of its kind at each Item, and writes how it ended. It returns
nothing: the row says everything.
"""

import logging
from collections.abc import Callable

from rq.timeouts import JobTimeoutException
from sqlalchemy.exc import DataError, OperationalError

from plaidapp.bank.errors import (
    NONSENSE,
    PRODUCT_NOT_READY,
    TIMEOUT,
    BankError,
    transport_error,
)
from plaidapp.extensions import db
from plaidapp.store import PullItem
from plaidapp.store.connections import items
from plaidapp.store.pulls import kinds, pulls, transitions

from .connections import item_state
from .connections.connect import connect
from .connections.read_accounts import refresh_balances
from .connections.remove import remove
from .pulls.attempt import Attempt, LostPullError
from .pulls.heartbeat import beating
from .recurring.fetch_streams import read_streams
from .transactions.sync import first_sync, resync, sync

log = logging.getLogger(__name__)

Work = Callable[[Attempt, PullItem], None]

WORK: dict[str, Work] = {
    kinds.LINK: first_sync,
    kinds.ACCOUNTS: refresh_balances,
    kinds.TRANSACTIONS: sync,
    kinds.TOTAL: sync,
    kinds.REPAIR: resync,
    kinds.RECURRING: read_streams,
    kinds.REMOVE: remove,
}
"""What a pull of each kind does at one Item. The functions raise BankError."""


def run(pull_id: int) -> None:
    """Do the work of this pull, unless it is over or another worker has claimed it."""
    if not transitions.claim(pull_id):  # e.g. the queue was rung twice
        db.session.commit()
        return
    attempt = Attempt(pulls.by_id(pull_id))
    attempt.begin()
    try:
        with beating(pull_id, attempt.number):
            while not attempt.conclude(_work(attempt)):
                pass
    except LostPullError:
        log.warning("Pull %s was given to another worker", pull_id)
    except OperationalError:
        # The database is away. The row still says "running": the clock will find it orphaned.
        db.session.rollback()
        raise
    except Exception:
        attempt.roll_back()
        attempt.crash()
        raise


def _work(attempt: Attempt) -> list[BankError]:
    """Return the errors of all Items."""
    if attempt.pull.facts.connects and not attempt.pull.items:  # an earlier attempt may have
        try:
            connect(attempt)
        except (BankError, DataError, JobTimeoutException) as problem:
            attempt.roll_back()
            return [_as_bank_error(problem)]
    return _work_on_items(attempt, WORK[attempt.pull.kind])


def _work_on_items(attempt: Attempt, work: Work) -> list[BankError]:
    """Call `work` for each Item that is not done, so that no bank suffers from another's errors."""
    errors = []
    for pull_item in attempt.pull.items:
        if pull_item.phase == pulls.DONE:
            continue
        try:
            work(attempt, pull_item)
        except (BankError, DataError, JobTimeoutException) as problem:
            attempt.roll_back()
            error = _as_bank_error(problem)
            if _is_replaced(attempt, pull_item):
                attempt.report(pull_item, phase=pulls.DONE)
            elif error.code == PRODUCT_NOT_READY:  # not a failure: the bank needs more time
                attempt.report(pull_item, phase=pulls.PREPARING, request_id=error.request_id)
            else:
                _fail(attempt, pull_item, error)
                errors.append(error)
    return errors


def _is_replaced(attempt: Attempt, pull_item: PullItem) -> bool:
    """An Item that was replaced while it was read can't fail: its successor is asked instead."""
    return not attempt.pull.facts.runs_on_replaced and items.is_replaced(pull_item.item_id)


def _fail(attempt: Attempt, pull_item: PullItem, error: BankError) -> None:
    if not error.retryable:
        item_state.set_error(pull_item.item_id, error)
    attempt.report_failure(pull_item, error)


def _as_bank_error(problem: Exception) -> BankError:
    if isinstance(problem, BankError):
        return problem
    # DataError: the bank sent what the database refuses to store, such as a NUL in a text.
    return transport_error(NONSENSE if isinstance(problem, DataError) else TIMEOUT)
