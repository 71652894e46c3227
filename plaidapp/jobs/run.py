"""The job functions, one a kind of pull. RQ calls them with a pull's id and no more.

Each claims its pull, does the work Item by Item so that one bank's trouble is not the others', and
writes how it ended. They return nothing: what there is to know is in the row.
"""

import logging
from collections.abc import Callable

from cryptography.fernet import InvalidToken
from flask import current_app
from rq.timeouts import JobTimeoutException
from sqlalchemy.exc import DataError, OperationalError

from plaidapp.bank import payloads
from plaidapp.bank.client import Bank
from plaidapp.bank.errors import (
    LOGIN_REQUIRED,
    NONSENSE,
    PRODUCT_NOT_READY,
    TIMEOUT,
    BankError,
    transport_error,
)
from plaidapp.extensions import db
from plaidapp.store import PullItem
from plaidapp.store.base import encryption
from plaidapp.store.connections import accounts as account_store
from plaidapp.store.connections import items, reconnected_accounts
from plaidapp.store.people import users
from plaidapp.store.pulls import pulls, transitions
from plaidapp.store.reports import derived
from plaidapp.texts import gettext_noop

from .pulls import item_requests
from .pulls.attempt import Attempt, LostPullError
from .pulls.heartbeat import beating
from .recurring.fetch_streams import read_streams
from .transactions.sync import resync, sync

log = logging.getLogger(__name__)


def link(pull_id: int) -> None:
    """Gets an access token, stores the Item, then its accounts and transactions."""
    _run(pull_id, _link)


def accounts(pull_id: int) -> None:
    """Asks every bank of the pull for its accounts and balances as of now."""
    _run(pull_id, lambda attempt: _each_item(attempt, _pull_balances))


def transactions(pull_id: int) -> None:
    """Brings the transactions of every Item of the pull up to date."""
    _run(pull_id, lambda attempt: _each_item(attempt, _pull_transactions))


def repair(pull_id: int) -> None:
    """Reads every Item of the pull from the beginning again, keeping what the person edited."""
    _run(pull_id, lambda attempt: _each_item(attempt, _reread))


def remove(pull_id: int) -> None:
    """Ends at Plaid the connection that another one has replaced."""
    _run(pull_id, lambda attempt: _each_item(attempt, _remove))


def recurring(pull_id: int) -> None:
    """Reads what recurs at every Item of the pull."""
    _run(pull_id, lambda attempt: _each_item(attempt, read_streams))


def _run(pull_id: int, work: Callable[[Attempt], list[BankError]]) -> None:
    if not transitions.claim(pull_id):  # rung twice, or taken over, or gone
        db.session.commit()
        return
    attempt = Attempt(pulls.by_id(pull_id))
    attempt.begin()
    try:
        with beating(pull_id, attempt.number):
            while not attempt.conclude(work(attempt)):
                pass
    except LostPullError:
        log.warning("Pull %s was given to another worker", pull_id)
    except OperationalError:
        # The database is away: the row still says "running", and the sweep will find it orphaned.
        db.session.rollback()
        raise
    except Exception:
        attempt.roll_back()
        attempt.crash()
        raise


def _each_item(attempt: Attempt, work: Callable[[Attempt, PullItem], None]) -> list[BankError]:
    """Does `work` at every Item that is not done yet; returns what went wrong."""
    failed = []
    for part in attempt.pull.items:
        if part.phase == pulls.DONE:
            continue
        try:
            work(attempt, part)
        except (BankError, DataError, JobTimeoutException) as problem:
            attempt.roll_back()
            error = _as_bank_error(problem)
            if _has_a_successor(attempt, part):
                attempt.report(part, phase=pulls.DONE)
                continue
            if error.code == PRODUCT_NOT_READY:  # no error, but a bank that needs more time
                attempt.report(part, phase=pulls.PREPARING, request_id=error.request_id)
                continue
            if not error.retryable:
                state = items.LOGIN_REQUIRED if error.code == LOGIN_REQUIRED else items.ERROR
                items.set_state(part.item_id, state, error.code, error.message)
            attempt.part_failed(part, error)
            failed.append(error)
    return failed


def _has_a_successor(attempt: Attempt, part: PullItem) -> bool:
    """An Item that was replaced meanwhile can't fail: its successor is asked instead."""
    return attempt.pull.kind != pulls.REMOVE and items.is_replaced(part.item_id)


def _as_bank_error(problem: Exception) -> BankError:
    if isinstance(problem, BankError):
        return problem
    # What the database refuses to hold, such as a NUL in a text, is nonsense too.
    return transport_error(NONSENSE if isinstance(problem, DataError) else TIMEOUT)


def _link(attempt: Attempt) -> list[BankError]:
    if not attempt.pull.items:  # otherwise an earlier attempt got as far as that
        try:
            _connect(attempt)
        except (BankError, DataError, JobTimeoutException) as problem:
            attempt.roll_back()
            return [_as_bank_error(problem)]
    return _each_item(attempt, _first_pull)


def _connect(attempt: Attempt) -> None:
    """The access token is shown once, so the Item is committed before anything else is asked."""
    pull = attempt.pull
    given = _unseal(pull.sealed)
    bank = _bank()
    public_token = given.get("public_token") or bank.sandbox_public_token(
        pull.institution_id or "", given.get("username", ""), given.get("password", "")
    )
    connection = bank.exchange(public_token)
    item = items.add(
        user_id=pull.user_id,
        plaid_item_id=connection.plaid_item_id,
        institution_id=pull.institution_id,
        access_token=connection.sealed_token,
        sync_requested=1,
    )
    part = PullItem(pull_id=pull.id, item=item)
    pull.items.append(part)
    attempt.report(part, stored=True, phase=pulls.ASKING)


def _first_pull(attempt: Attempt, part: PullItem) -> None:
    if not part.accounts:
        _pull_accounts(attempt, part)
    sync(attempt, part)


def _pull_transactions(attempt: Attempt, part: PullItem) -> None:
    """After a first pull that failed the accounts come first: they may be known from elsewhere."""
    if part.item.synced_at is None:
        known = account_store.ids_of_item(part.item_id)
        db.session.commit()  # hold nothing while the bank is asked
        if not known:
            _pull_accounts(attempt, part)
    sync(attempt, part)


def _remove(attempt: Attempt, part: PullItem) -> None:
    _bank().remove(part.item.access_token)
    items.forget_token(part.item_id)
    attempt.report(part, phase=pulls.DONE)


def _reread(attempt: Attempt, part: PullItem) -> None:
    _pull_accounts(attempt, part)
    resync(attempt, part)


def _pull_accounts(attempt: Attempt, part: PullItem) -> None:
    answer = _bank().accounts(part.item.access_token)
    _store_accounts(attempt, part, answer, pulls.ASKING)


def _pull_balances(attempt: Attempt, part: PullItem) -> None:
    attempt.ask(part)
    answer = _bank().balances(part.item.access_token)
    _store_accounts(attempt, part, answer, pulls.DONE)


def _store_accounts(
    attempt: Attempt, part: PullItem, answer: payloads.Accounts, phase: str
) -> None:
    user_id, item_id = attempt.pull.user_id, part.item_id
    users.lock_ledger(user_id)
    items.answered(item_id, answer.item.institution_id, answer.item.institution_name)
    listed = reconnected_accounts.without_departed(item_id, answer.accounts)
    saved = reconnected_accounts.save_accounts(user_id, item_id, listed)
    item_requests.removal(saved.replaced)
    derived.refresh((), saved.changed)
    account_store.close_missing(item_id, answer.accounts)
    if attempt.pull.kind == pulls.LINK:
        part.accounts_kept = reconnected_accounts.count_reconnected(item_id)
    attempt.report(
        part, stored=True, phase=phase, accounts=len(listed), request_id=answer.request_id
    )


def _unseal(sealed: bytes | None) -> dict[str, str]:
    try:
        return encryption.unseal(current_app.extensions["cipher"], sealed) if sealed else {}
    except InvalidToken:
        message = gettext_noop(
            "What you entered was encrypted with a key that the app no longer has. Start again."
        )
        raise BankError("TOKEN_UNREADABLE", message, retryable=False) from None


def _bank() -> Bank:
    bank: Bank = current_app.extensions["bank"]
    return bank
