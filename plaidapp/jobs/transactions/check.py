"""Check an Item against its bank: compare rows and balances, and store what differs.

A check changes no row. What the bank has changed since the last sync is no difference: a sync is
requested, which stores it. So nothing that happens at the bank meanwhile is reported falsely.
"""

import time
from collections.abc import Callable, Sequence
from datetime import timedelta

from plaidapp import policy
from plaidapp.bank.error_sentences import MUTATION, PRODUCT_NOT_READY
from plaidapp.bank.errors import NEEDS_LINK, BankError, transport_error
from plaidapp.bank.payloads import Accounts
from plaidapp.extensions import db
from plaidapp.store import Account, Item, PullItem
from plaidapp.store.base.types import now
from plaidapp.store.connections import accounts, check_times, checks, notices
from plaidapp.store.pulls import pulls
from plaidapp.store.transactions import item_rows

from ..pulls import item_requests
from ..pulls.attempt import Attempt
from ..pulls.lines import click_waits
from . import check_progress, check_results, row_comparison
from .check_progress import Progress
from .check_results import Findings, News
from .fetch import PROGRESS_EVERY, RefusedCursorError, Start, fetch
from .row_comparison import Comparison
from .spool import Spool
from .sync import resync, where_to_start


def repair(attempt: Attempt, pull_item: PullItem) -> None:
    """Read everything again, which corrects what differs, and then compare. Raises BankError."""
    if not pull_item.comparison:  # otherwise an earlier attempt has read everything
        resync(attempt, pull_item)
        if pull_item.phase != pulls.COMPARING:  # the bank is still preparing its history
            return
    check(attempt, pull_item)


def check(attempt: Attempt, pull_item: PullItem) -> None:
    """Compare, and store the result. If the bank fails, the last result stays. Raises BankError.

    A long comparison lets other pulls go first from time to time, and waits if the bank limits its
    calls. The pull then goes on later.
    """
    try:
        found = _compare(attempt, pull_item)
    except BankError as error:
        if error.code not in (PRODUCT_NOT_READY, *NEEDS_LINK):  # which pages say without a check
            check_times.failed(pull_item.item_id, error.message)
            db.session.commit()  # the caller rolls back
        raise
    if found is None:
        return
    results, differences = check_results.of(found)
    db.session.commit()
    attempt.lock_ledger(pull_item)
    checks.save(pull_item.item_id, results, differences)
    check_times.done(pull_item.item_id, is_full=found.progress.is_full)
    count = sum(result["differences"] for result in results)
    if not count or attempt.pull.asked_by == pulls.CLOCK:  # whoever asked sees what was found
        notices.compared(pull_item.item_id, differs=count > 0)
    if found.has_news:
        item_requests.sync(pull_item.item, pulls.CLOCK)  # the clock rings for it
    attempt.report(
        pull_item,
        stored=True,
        phase=pulls.DONE,
        rows=sum(result["rows"] for result in results),
        differences=count,
        refusal=found.refusal,
        request_id=found.listed.request_id,
    )


def _compare(attempt: Attempt, pull_item: PullItem) -> Findings | None:
    """Return None if the pull is to go on later."""
    item = pull_item.item
    progress = check_progress.of(attempt, pull_item)
    attempt.report(pull_item, phase=pulls.COMPARING, rows=progress.sent)
    start = where_to_start(item.id)  # what the bank changes from here on is news
    db.session.commit()
    news, refusal = News(), None
    try:
        if not _compare_rows(attempt, pull_item, start, progress, news):
            return None
    except BankError as error:
        if not error.refuses_product:
            raise
        refusal = error.code  # this is not a problem with the connection
    found = Findings(item, *_accounts(attempt, item), progress, refusal, news)
    found.balances = found.differing_balances()
    if found.balances:
        _look_again(attempt, pull_item, start, found)
    return found


def _compare_rows(
    attempt: Attempt, pull_item: PullItem, start: Start, progress: Progress, news: News
) -> bool:
    """Compare window by window. Return False if the pull is to go on later. Raises BankError."""
    item, begun = pull_item.item, time.monotonic()
    while not progress.is_over:
        first, last = progress.next_window(item)
        try:
            window = row_comparison.compare(
                attempt.bank, item, first, last, _reporter(attempt, pull_item, progress.sent)
            )
            if not start.stored_cursor:  # nothing is stored to compare with yet
                raise BankError(PRODUCT_NOT_READY, "", retryable=True)
            if window.differing:
                _leave_out_news(attempt, pull_item, start, window, news)
        except BankError as error:
            if not (progress.windows and error.wait):
                raise
            attempt.roll_back()
            attempt.waits_until = now() + timedelta(seconds=error.wait)
            return False
        progress.add(first, window)
        progress.has_news = progress.has_news or bool(news.ids)
        check_progress.report(attempt, pull_item, progress)
        has_had_turn = time.monotonic() - begun > policy.CHECK_TURN.total_seconds()
        if (has_had_turn or click_waits(attempt.pull.id)) and not progress.is_over:
            attempt.waits_until = now()
            return False
    return True


def _reporter(attempt: Attempt, pull_item: PullItem, before: int) -> Callable[[int], None]:
    """Return what reports how many rows the bank has sent, `before` of them earlier."""
    reported = time.monotonic()

    def progress(rows: int) -> None:
        nonlocal reported
        if time.monotonic() - reported > PROGRESS_EVERY:
            attempt.report(pull_item, phase=pulls.COMPARING, rows=before + rows)
            reported = time.monotonic()

    return progress


def _accounts(attempt: Attempt, item: Item) -> tuple[Accounts, Sequence[Account]]:
    listed = attempt.bank.accounts(item.token)
    known = checks.accounts_now(item.id)
    db.session.commit()
    return listed, known


def _look_again(attempt: Attempt, pull_item: PullItem, start: Start, found: Findings) -> None:
    """Compare balances once more, and take back what the bank has changed since the last sync."""
    if found.rows:
        _read_news(attempt, pull_item, start, found.news)
    found.listed, found.known = _accounts(attempt, pull_item.item)
    still = (found.balances & found.differing_balances()) - found.news.moving
    old = {
        account.id
        for account in found.known
        if account.id in still and check_times.is_old_balance(account)
    }
    found.news.moving |= old
    found.balances = still - old
    db.session.commit()


def _leave_out_news(
    attempt: Attempt, pull_item: PullItem, start: Start, window: Comparison, news: News
) -> None:
    """Take back what the bank has changed since the last sync."""
    _read_news(attempt, pull_item, start, news)
    for plaid_id in news.ids & window.differing.keys():
        del window.differing[plaid_id]


def _read_news(attempt: Attempt, pull_item: PullItem, start: Start, news: News) -> None:
    """Read what a sync would, and store nothing of it. Raises BankError."""
    ids = accounts.ids_of_item(pull_item.item_id)
    db.session.commit()
    removed: list[str] = []
    with Spool() as spool:
        try:
            fetch(attempt, pull_item, start, spool)
        except RefusedCursorError:
            item_requests.sync(pull_item.item, pulls.CLOCK)  # reads from the beginning
            db.session.commit()
            raise transport_error(MUTATION) from None
        for page in spool:
            news.ids |= page.ids()
            removed += page.removed
            changed = (*page.added, *page.modified)
            news.moving |= {
                ids[row.plaid_account_id] for row in changed if row.plaid_account_id in ids
            }
    places = item_rows.places_of(pull_item.item_id, removed)
    news.moving |= {account_id for account_id, _, _ in places}
    db.session.commit()
