"""Check an Item against its bank: compare rows and balances, and store what differs.

A check changes no row. What the bank has changed since the last sync is no difference: a sync is
requested, which stores it. So nothing that happens at the bank meanwhile is reported falsely.
"""

import time
from collections.abc import Sequence
from datetime import date, timedelta

from plaidapp import policy
from plaidapp.bank.error_sentences import MUTATION, PRODUCT_NOT_READY
from plaidapp.bank.errors import BankError, transport_error
from plaidapp.bank.link_calls import DAYS_REQUESTED
from plaidapp.bank.payloads import Accounts
from plaidapp.extensions import db
from plaidapp.store import Account, Item, PullItem
from plaidapp.store.base.types import now
from plaidapp.store.connections import check_times, checks
from plaidapp.store.pulls import pulls
from plaidapp.store.transactions import item_rows

from ..pulls import item_requests
from ..pulls.attempt import Attempt
from . import check_results, row_comparison
from .bank_comparison import FUTURE
from .check_results import Findings
from .fetch import PROGRESS_EVERY, RefusedCursorError, Start, fetch
from .row_comparison import Comparison
from .spool import Spool
from .sync import resync, where_to_start


def repair(attempt: Attempt, pull_item: PullItem) -> None:
    """Read everything again, which corrects what differs, and then compare. Raises BankError."""
    resync(attempt, pull_item)
    if pull_item.phase == pulls.COMPARING:  # otherwise the bank is still preparing its history
        check(attempt, pull_item)


def check(attempt: Attempt, pull_item: PullItem) -> None:
    """Compare, and store the result. If the bank fails, the last result stays. Raises BankError."""
    try:
        found = _compare(attempt, pull_item)
    except BankError as error:
        if error.code != PRODUCT_NOT_READY:
            check_times.failed(pull_item.item_id, error.message)
            db.session.commit()  # the caller rolls back
        raise
    results, differences = check_results.of(found)
    db.session.commit()
    attempt.lock_ledger(pull_item)
    checks.save(pull_item.item_id, results, differences)
    check_times.done(pull_item.item_id, is_full=found.is_full)
    if found.news or found.moving:
        item_requests.sync(pull_item.item, pulls.CLOCK)  # the clock rings for it
    attempt.report(
        pull_item,
        stored=True,
        phase=pulls.DONE,
        rows=sum(result["rows"] for result in results),
        differences=sum(result["differences"] for result in results),
        refusal=found.refusal,
        request_id=found.listed.request_id,
    )


def _compare(attempt: Attempt, pull_item: PullItem) -> Findings:
    item = pull_item.item
    is_full = attempt.pull.asked_by != pulls.CLOCK or check_times.is_full_due(item)
    attempt.report(pull_item, phase=pulls.COMPARING, rows=0)
    start = where_to_start(item.id)  # what the bank changes from here on is news
    days = DAYS_REQUESTED if is_full else policy.CHECKED_DAYS
    since = now().date() - timedelta(days=days)
    rows, refusal = _compare_rows(attempt, pull_item, since)
    if rows and not start.stored_cursor:  # nothing is stored to compare with yet
        raise BankError(PRODUCT_NOT_READY, "", retryable=True)
    found = Findings(item, since, is_full, *_accounts(attempt, item), rows, refusal)
    found.balances = found.differing_balances()
    if found.balances or (rows and rows.differing):
        _look_again(attempt, pull_item, start, found)
    return found


def _compare_rows(
    attempt: Attempt, pull_item: PullItem, since: date
) -> tuple[Comparison | None, str | None]:
    """A final refusal of the product is not a problem with the connection."""
    reported = time.monotonic()

    def progress(rows: int) -> None:
        nonlocal reported
        if time.monotonic() - reported > PROGRESS_EVERY:
            attempt.report(pull_item, phase=pulls.COMPARING, rows=rows)
            reported = time.monotonic()

    last = now().date() + FUTURE
    try:
        return row_comparison.compare(attempt.bank, pull_item.item, since, last, progress), None
    except BankError as error:
        if not error.refuses_product:
            raise
        return None, error.code


def _accounts(attempt: Attempt, item: Item) -> tuple[Accounts, Sequence[Account]]:
    listed = attempt.bank.accounts(item.token)
    known = checks.accounts_now(item.id)
    db.session.commit()
    return listed, known


def _look_again(attempt: Attempt, pull_item: PullItem, start: Start, found: Findings) -> None:
    """Take back what the bank has changed since the last sync, and compare balances once more."""
    _read_news(attempt, pull_item, start, found)
    if found.balances:
        found.listed, found.known = _accounts(attempt, pull_item.item)
        still = (found.balances & found.differing_balances()) - found.moving
        old = {
            account.id
            for account in found.known
            if account.id in still and check_times.is_old_balance(account)
        }
        found.moving |= old
        found.balances = still - old
    if found.rows:
        for plaid_id in found.news & found.rows.differing.keys():
            del found.rows.differing[plaid_id]
    db.session.commit()


def _read_news(attempt: Attempt, pull_item: PullItem, start: Start, found: Findings) -> None:
    """Read what a sync would, and store nothing of it. Raises BankError."""
    if found.rows is None:
        return
    ids = {account.plaid_account_id: account.id for account in found.known}
    removed: list[str] = []
    with Spool() as spool:
        try:
            fetch(attempt, pull_item, start, spool)
        except RefusedCursorError:
            item_requests.sync(pull_item.item, pulls.CLOCK)  # reads from the beginning
            db.session.commit()
            raise transport_error(MUTATION) from None
        for page in spool:
            found.news |= page.ids()
            removed += page.removed
            changed = (*page.added, *page.modified)
            found.moving |= {
                ids[row.plaid_account_id] for row in changed if row.plaid_account_id in ids
            }
    places = item_rows.places_of(pull_item.item_id, removed)
    found.moving |= {account_id for account_id, _, _ in places}
    db.session.commit()
