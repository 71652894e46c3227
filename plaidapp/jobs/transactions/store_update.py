"""Store one update of an Item in one transaction, or nothing if another sync came first.

The transaction saves the accounts and rows, carries the person's edits over to rows that replace
pending ones, marks removed rows, and moves the cursor. The cursor must still be the one that the
update began from.
"""

from collections.abc import Collection
from datetime import timedelta

from plaidapp.bank.link_calls import DAYS_REQUESTED
from plaidapp.bank.unread import ACCOUNT, REMOVED, TRANSACTION
from plaidapp.metrics.counted import CHANGES, ROWS
from plaidapp.store import PullItem
from plaidapp.store.base.types import now
from plaidapp.store.connections import (
    accounts,
    bank_status,
    former_accounts,
    item_states,
    known_accounts,
    reconnected_accounts,
    stream_times,
    sync_progress,
)
from plaidapp.store.connections.known_accounts import Known
from plaidapp.store.connections.sync_progress import Advance
from plaidapp.store.pulls import pulls
from plaidapp.store.reports import derived
from plaidapp.store.transactions import (
    item_rows,
    raw_pages,
    reconnected_rows,
    set_aside,
)

from ..connections import same_accounts
from ..pulls import item_requests
from ..pulls.attempt import Attempt
from . import retry
from .batches import Batch, batches
from .fetch import Start, Update
from .spool import Spool
from .store_batch import Storing, store_batch


def store_update(
    attempt: Attempt, pull_item: PullItem, start: Start, spool: Spool, update: Update
) -> Advance:
    """Return LOST, with nothing stored, if another sync moved the cursor; otherwise commit."""
    user_id, item_id = attempt.pull.user_id, pull_item.item_id
    attempt.lock_ledger(pull_item)
    is_whole = start.from_beginning and update.status == item_states.COMPLETE
    unnamed = _comparable_ids(item_id) if is_whole else set()
    aside = set_aside.keys(item_id)
    known = known_accounts.of_item(item_id)
    saved = _save_accounts(user_id, item_id, update, known, aside[ACCOUNT])
    if saved.ids != known.ids:  # some may have moved here from another Item
        known = known_accounts.of_item(item_id)
    storing = Storing(
        user_id,
        item_id,
        account_ids=saved.ids,
        departed=known.departed,
        is_first=start.is_first,
        rereads=start.from_beginning and not start.is_first,
        reported_days=saved.reported_days,
        changed_days=None if is_whole else set(),
        former=known.former,
        aside=aside,
    )
    _read_again(storing, is_whole=is_whole)
    for batch in batches(spool):
        store_batch(storing, batch)
        if unnamed:
            _strike_out(unnamed, batch)
    was_complete = pull_item.item.update_status == item_states.COMPLETE
    may_tell = update.status in (item_states.RECENT, item_states.COMPLETE)
    if storing.former and may_tell and not was_complete:
        same_accounts.separate_mistaken(item_id)
        storing.former = former_accounts.former_items(item_id)
    _remove_missing_rows(storing, unnamed, update)
    if was_complete and update.status not in item_states.STATUSES:
        update = update._replace(status=item_states.COMPLETE)  # it still is
        may_tell = True
    outcome = sync_progress.advance(
        item_id,
        start.stored_cursor,
        update.next_cursor,
        start.requests,
        update.status,
        changed=storing.rereads or any(storing.counts.values()),
    )
    if outcome is Advance.LOST:
        attempt.roll_back()
        return outcome
    _refresh_derived(storing)
    _judge_accounts(
        storing,
        has_evidence=may_tell and bool(storing.counts.total() or not was_complete),
        is_complete=update.status == item_states.COMPLETE,
    )
    if stream_times.are_due(pull_item.item):  # the clock rings for it
        item_requests.recurring(pull_item.item, pulls.CLOCK)
    is_quiet = was_complete and not any(storing.counts.values())
    if is_quiet and bank_status.is_due(pull_item.item):
        item_requests.status(pull_item.item)
    _report(attempt, pull_item, storing, update, outcome)
    return outcome


def _comparable_ids(item_id: int) -> set[str]:
    """Return Plaid's ids of the stored rows that a complete read from the beginning has to name.

    Those it does not name no longer exist at the bank. Rows that are older than what Plaid sends
    are left alone.
    """
    return item_rows.shown_ids(item_id, now().date() - timedelta(days=DAYS_REQUESTED))


def _save_accounts(
    user_id: int,
    item_id: int,
    update: Update,
    known: Known,
    aside: Collection[str],
) -> accounts.Saved:
    """Save those that are read from this Item. `aside` has the accounts set aside before."""
    listed = [sent for sent in update.accounts if sent.account_id not in known.departed]
    named = {sent.account_id for sent in update.accounts}
    set_aside.replace(item_id, ACCOUNT, named.intersection(aside), update.unread_accounts)
    return reconnected_accounts.save_accounts(user_id, item_id, listed, known.ids)


def _read_again(storing: Storing, *, is_whole: bool) -> None:
    """Store rows that were set aside, if they are readable now.

    A complete reading from the beginning names every row, so it starts with nothing set aside.
    """
    if is_whole:
        for kind in (TRANSACTION, REMOVED):
            set_aside.forget(storing.item_id, kind, storing.aside.pop(kind, ()))
    elif storing.aside[TRANSACTION] or storing.aside[REMOVED]:
        for batch in retry.batches(storing.item_id):
            store_batch(storing, batch)
            storing.page_ids.clear()  # the pages of the update count from 0


def _strike_out(unnamed: set[str], batch: Batch) -> None:
    """Take the rows that the bank named off `unnamed`. One with an unreadable id may be any row."""
    unnamed.difference_update(row.plaid_transaction_id for row in batch.added + batch.modified)
    for row in batch.unread:
        if row.plaid_id is None:
            unnamed.clear()
        unnamed.discard(row.plaid_id)


def _remove_missing_rows(storing: Storing, unnamed: set[str], update: Update) -> None:
    """Mark rows as removed that the bank should have named.

    `unnamed` are those of this Item; the others are rows of the Items that it has replaced.
    """
    item_id = storing.item_id
    item_rows.mark_removed(item_id, list(unnamed))
    gone = reconnected_rows.remove_missing(item_id, storing.former, update.status, storing.new_ids)
    storing.counts["removed"] += len(unnamed) + len(gone)
    if storing.changed_days is not None:
        storing.changed_days |= {(row.account_id, row.date) for row in gone}
        storing.sizes |= {row.size for row in gone}


def _refresh_derived(storing: Storing) -> None:
    if storing.changed_days is not None:
        derived.refresh(storing.changed_days, storing.reported_days, storing.sizes)
        return
    derived.rebuild(list(accounts.ids_of_item(storing.item_id).values()))
    if not storing.is_first:  # a first sync leaves no unused pages, and looking for them is slow
        raw_pages.delete_unused(storing.item_id)


def _judge_accounts(storing: Storing, *, has_evidence: bool, is_complete: bool) -> None:
    """Decide which accounts are the same as others, and have Items removed that this one has
    replaced. Without new rows and former Items, there is neither."""
    if has_evidence:
        same_accounts.decide(storing.user_id, storing.item_id, is_complete=is_complete)
    if is_complete and (has_evidence or storing.former):
        same_accounts.remove_replaced(storing.item_id)


def _report(
    attempt: Attempt, pull_item: PullItem, storing: Storing, update: Update, outcome: Advance
) -> None:
    """Commit the transaction together with what the pull shows."""
    for name, count in storing.counts.items():
        setattr(pull_item, name, getattr(pull_item, name) + count)
    if outcome is Advance.BEHIND:
        phase = pulls.ASKING
    else:
        is_complete = update.status == item_states.COMPLETE
        phase = attempt.after_sync if is_complete else pulls.PREPARING
    attempt.report(
        pull_item,
        stored=True,
        phase=phase,
        pages=update.pages,
        rows=update.rows,
        request_id=update.request_id,
    )
    for change in CHANGES:
        ROWS.add(change, amount=storing.counts[change])
