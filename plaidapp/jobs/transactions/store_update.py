"""Store one update of an Item in one transaction, or nothing if another sync came first.

The transaction saves the accounts and rows, carries the person's edits over to rows that replace
pending ones, marks removed rows, and moves the cursor. The cursor must still be the one that the
update began from.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from plaidapp.bank.client import DAYS_REQUESTED
from plaidapp.bank.errors import NONSENSE, transport_error
from plaidapp.store import PullItem
from plaidapp.store.base.types import now
from plaidapp.store.connections import accounts, items, reconnected_accounts, sync_progress
from plaidapp.store.connections.sync_progress import Advance
from plaidapp.store.people import users
from plaidapp.store.pulls import pulls
from plaidapp.store.reports import derived
from plaidapp.store.transactions import edits, ingest, raw_pages, reconnected_rows, transactions
from plaidapp.store.transactions.ingest import Row

from ..pulls import item_requests
from ..pulls.attempt import Attempt
from .fetch import Start, Update
from .spool import Page, Spool

BATCH_ROWS = 5_000
"""Rows in one statement: enough to make its cost small per row, few enough for memory."""


@dataclass
class Batch:
    """Pages that are stored together; `bodies` are the compressed pages as the bank sent them."""

    added: list[Row] = field(default_factory=list)
    modified: list[Row] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)


@dataclass
class Storing:
    """An update while it is stored.

    `reported_days` are days with a new balance from the bank. `changed_days` are days whose rows
    changed, or None after a complete reading from the beginning: then all days are derived again.
    `new_ids` are Plaid's ids of rows that were not stored before. `page_ids` are the ids of the
    stored raw pages. `counts` has the names of PullItem's columns.
    """

    user_id: int
    item_id: int
    is_first: bool
    reported_days: set[derived.Day]
    changed_days: set[derived.Day] | None
    new_ids: set[str] = field(default_factory=set)
    page_ids: list[int | None] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


def store_update(
    attempt: Attempt, pull_item: PullItem, start: Start, spool: Spool, update: Update
) -> Advance:
    """Return LOST, with nothing stored, if another sync moved the cursor; otherwise commit.

    Raises BankError for an update that contradicts itself.
    """
    user_id, item_id = attempt.pull.user_id, pull_item.item_id
    users.lock_ledger(user_id)
    is_whole = start.from_beginning and update.status == items.COMPLETE
    unnamed = _comparable_ids(item_id) if is_whole else set()
    storing = Storing(
        user_id,
        item_id,
        is_first=start.is_first,
        reported_days=_save_accounts(user_id, item_id, update),
        changed_days=None if is_whole else set(),
    )
    for batch in _batches(spool):
        _store_batch(storing, batch)
        unnamed.difference_update(row.plaid_transaction_id for row in batch.added + batch.modified)
    gone_days = _remove_missing_rows(storing, unnamed, update)
    outcome = sync_progress.advance(
        item_id,
        start.stored_cursor,
        update.next_cursor,
        start.requests,
        update.status,
        changed=any(storing.counts.values()),
    )
    if outcome is Advance.LOST:
        attempt.roll_back()
        return outcome
    _refresh_derived(storing, gone_days)
    if sync_progress.streams_due(item_id):  # the clock rings for it
        item_requests.recurring(pull_item.item, pulls.CLOCK)
    _report(attempt, pull_item, storing, update, outcome)
    return outcome


def _comparable_ids(item_id: int) -> set[str]:
    """Return Plaid's ids of the stored rows that a complete read from the beginning has to name.

    Those it does not name no longer exist at the bank. Rows that are older than what Plaid sends
    are left alone.
    """
    return transactions.shown_ids(item_id, now().date() - timedelta(days=DAYS_REQUESTED))


def _save_accounts(user_id: int, item_id: int, update: Update) -> set[derived.Day]:
    """Return the days for which a balance was stored."""
    listed = reconnected_accounts.without_departed(item_id, update.accounts)
    saved = reconnected_accounts.save_accounts(user_id, item_id, listed)
    item_requests.remove(saved.replaced)
    return saved.changed


def _batches(pages: Iterable[Page]) -> Iterator[Batch]:
    """Yield the pages in batches of up to BATCH_ROWS rows, in which no transaction occurs twice.

    A page that names a transaction again begins a new batch, so that its changes come later.
    """
    batch, named = Batch(), set[str]()
    for page in pages:
        ids = page.ids()
        if named and (len(named) + len(ids) > BATCH_ROWS or not named.isdisjoint(ids)):
            yield batch
            batch, named = Batch(), set()
        batch.added += page.added
        batch.modified += page.modified
        batch.removed += page.removed
        batch.bodies.append(page.body)
        named |= ids
    yield batch


def _store_batch(storing: Storing, batch: Batch) -> None:
    item_id = storing.item_id
    storing.page_ids += raw_pages.save(item_id, batch.bodies)
    departed = reconnected_accounts.departed_ids(item_id)  # accounts that another Item reports now
    added = [row for row in batch.added if row.plaid_account_id not in departed]
    modified = [row for row in batch.modified if row.plaid_account_id not in departed]
    try:
        kept = _save_rows(storing, added + modified, batch.removed, is_new=not batch.modified)
    except KeyError:  # a row of an account that the bank has not listed
        raise transport_error(NONSENSE) from None
    edits.carry(item_id, added)
    transactions.mark_removed(item_id, batch.removed)
    storing.counts.update(
        kept=kept,
        added=len(added) - kept,
        modified=len(modified),
        removed=len(batch.removed),
    )


def _save_rows(storing: Storing, rows: list[Row], removed: list[str], *, is_new: bool) -> int:
    """Return how many of the rows an earlier connection had stored.

    `is_new` says that the bank calls none of the rows modified. Raises KeyError.
    """
    item_id, kept = storing.item_id, 0
    account_ids = accounts.ids_of_item(item_id)
    former = reconnected_accounts.former_items(item_id)
    if former:
        kept, new_ids = reconnected_rows.reconnect(item_id, former, account_ids, rows)
        storing.new_ids |= new_ids
    if storing.changed_days is not None:
        named = [row.plaid_transaction_id for row in rows]
        storing.changed_days |= transactions.days_of(item_id, named + removed)  # where they were
        storing.changed_days |= {(account_ids[row.plaid_account_id], row.day) for row in rows}
    ingest.save(
        storing.user_id,
        item_id,
        account_ids,
        storing.page_ids,
        rows,
        from_start=storing.changed_days is None,
        new=storing.is_first and is_new and not former,  # a guess: if wrong, it costs only time
    )
    return kept


def _remove_missing_rows(storing: Storing, unnamed: set[str], update: Update) -> list[derived.Day]:
    """Mark rows as removed that the bank should have named.

    `unnamed` are those of this Item; the others are rows of the Items that it has replaced. Return
    the days of the latter.
    """
    item_id = storing.item_id
    transactions.mark_removed(item_id, list(unnamed))
    gone_days = reconnected_rows.remove_missing(
        item_id, reconnected_accounts.former_items(item_id), update.status, storing.new_ids
    )
    storing.counts["removed"] += len(unnamed) + len(gone_days)
    return gone_days


def _refresh_derived(storing: Storing, gone_days: list[derived.Day]) -> None:
    if storing.changed_days is not None:
        derived.refresh(storing.changed_days.union(gone_days), storing.reported_days)
        return
    derived.rebuild(list(accounts.ids_of_item(storing.item_id).values()))
    if not storing.is_first:  # a first sync leaves no unused pages, and looking for them is slow
        raw_pages.delete_unused(storing.item_id)


def _report(
    attempt: Attempt, pull_item: PullItem, storing: Storing, update: Update, outcome: Advance
) -> None:
    """Commit the transaction together with what the pull shows."""
    for name, count in storing.counts.items():
        setattr(pull_item, name, getattr(pull_item, name) + count)
    if outcome is Advance.BEHIND:
        phase = pulls.ASKING
    else:
        phase = pulls.DONE if update.status == items.COMPLETE else pulls.PREPARING
    attempt.report(
        pull_item,
        stored=True,
        phase=phase,
        pages=update.pages,
        rows=update.rows,
        request_id=update.request_id,
    )
