"""Bringing one Item's transactions up to date: fetch a whole update, then store it at once.

The order is what keeps the ledger exact. All pages are fetched with no transaction open; then one
transaction writes the rows and moves the cursor, if the cursor still stands where the update began.
https://plaid.com/docs/api/products/transactions/#transactionssync
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import bindparam, select

from plaidapp.bank.client import DAYS_REQUESTED
from plaidapp.bank.errors import NONSENSE, transport_error
from plaidapp.extensions import db
from plaidapp.store import Item, PullItem
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
from .fetch import Start, Update, fetch
from .spool import Page, Spool

ROWS_AT_ONCE = 5_000
"""Rows in one statement: enough for the statement not to count, few enough for memory."""


def resync(attempt: Attempt, part: PullItem) -> None:
    """Reads the Item from the beginning again: what differs is mended, edits stay. As `sync`."""
    sync(attempt, part, afresh=True)


def sync(attempt: Attempt, part: PullItem, *, afresh: bool = False) -> None:
    """Goes round until an update is stored and every request made so far is applied.

    Raises BankError.
    """
    outcome = Advance.LOST
    while outcome is not Advance.APPLIED:
        start = _start(part.item_id, afresh=afresh)
        with Spool() as spool:
            update = fetch(attempt, part, start, spool)
            if update.rows:
                attempt.report(part, phase=pulls.STORING, pages=update.pages, rows=update.rows)
            outcome = _store(attempt, part, start, spool, update)


_STAND = select(Item.access_token, Item.cursor, Item.sync_requested).where(
    Item.id == bindparam("item_id")
)


def _start(item_id: int, *, afresh: bool) -> Start:
    """Read before the bank is asked: a request made during the update is for the next one."""
    token, cursor, want = db.session.execute(_STAND, {"item_id": item_id}).one()
    db.session.commit()
    return Start(token, cursor, "" if afresh else cursor, want)


@dataclass
class Batch:
    """Pages that are stored together; `bodies` are the pages as the bank sent them, packed."""

    added: list[Row] = field(default_factory=list)
    modified: list[Row] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)


@dataclass
class Stored:
    """What an update has done so far; `first` if none was stored before it.

    `counts` has PullItem's names; `moved` and `said` are the days that rollups.refresh wants to
    hear of, `moved` None when all is read afresh and all days will be worked out anew; `fresh` are
    Plaid's ids of rows that were not here; `page_ids` is where the pages are kept.
    """

    first: bool
    said: set[derived.Day]
    moved: set[derived.Day] | None
    counts: Counter[str] = field(default_factory=Counter)
    fresh: set[str] = field(default_factory=set)
    page_ids: list[int | None] = field(default_factory=list)


def _store(attempt: Attempt, part: PullItem, start: Start, spool: Spool, update: Update) -> Advance:
    """One transaction. It is thrown away when somebody else's sync came first."""
    item_id, status = part.item_id, update.status
    users.lock_ledger(attempt.pull.user_id)
    # What a complete reading from the beginning does not name is gone at the bank, unless it is
    # older than what Plaid gives.
    whole = start.afresh and status == items.COMPLETE
    reach = now().date() - timedelta(days=DAYS_REQUESTED)
    unseen = transactions.shown_ids(item_id, reach) if whole else set()
    listed = reconnected_accounts.without_departed(item_id, update.accounts)
    saved = reconnected_accounts.save_accounts(attempt.pull.user_id, item_id, listed)
    item_requests.removal(saved.replaced)
    stored = Stored(start.first, saved.changed, moved=None if whole else set())
    for batch in _batches(spool):
        _store_batch(attempt.pull.user_id, item_id, batch, stored)
        unseen.difference_update(row.plaid_transaction_id for row in batch.added + batch.modified)
    transactions.mark_removed(item_id, list(unseen))
    gone = reconnected_rows.remove_missing(
        item_id, reconnected_accounts.former_items(item_id), status, stored.fresh
    )
    stored.counts["removed"] += len(unseen) + len(gone)
    changed = any(stored.counts.values())
    outcome = sync_progress.advance(
        item_id, start.came_from, update.next_cursor, start.want, status, changed=changed
    )
    if outcome is Advance.LOST:
        attempt.roll_back()
        return outcome
    if stored.moved is None:
        derived.rebuild(list(accounts.ids_of_item(item_id).values()))
        if not stored.first:  # there would be none, and it takes a look at every row
            raw_pages.delete_unused(item_id)
    else:
        derived.refresh(stored.moved.union(gone), stored.said)
    if sync_progress.streams_due(item_id):  # the clock rings for it
        item_requests.recurring(part.item, pulls.CLOCK)
    for name, count in stored.counts.items():
        setattr(part, name, getattr(part, name) + count)
    phase = pulls.DONE if status == items.COMPLETE else pulls.PREPARING
    attempt.report(
        part,
        stored=True,
        phase=pulls.ASKING if outcome is Advance.BEHIND else phase,
        pages=update.pages,
        rows=update.rows,
        request_id=update.request_id,
    )
    return outcome


def _batches(pages: Iterable[Page]) -> Iterator[Batch]:
    """A transaction that an earlier page names begins a new batch, so that what the bank says of it
    later is done later."""
    batch, named = Batch(), set[str]()
    for page in pages:
        ids = page.ids()
        if named and (len(named) + len(ids) > ROWS_AT_ONCE or not named.isdisjoint(ids)):
            yield batch
            batch, named = Batch(), set()
        batch.added += page.added
        batch.modified += page.modified
        batch.removed += page.removed
        batch.bodies.append(page.body)
        named |= ids
    yield batch


def _store_batch(user_id: int, item_id: int, batch: Batch, stored: Stored) -> None:
    stored.page_ids += raw_pages.save(item_id, batch.bodies)
    void = reconnected_accounts.departed_ids(item_id)  # another Item speaks for these accounts now
    added = [row for row in batch.added if row.plaid_account_id not in void]
    rows = added + [row for row in batch.modified if row.plaid_account_id not in void]
    account_ids = accounts.ids_of_item(item_id)
    former = reconnected_accounts.former_items(item_id)
    kept = 0
    try:
        if former:
            kept, fresh = reconnected_rows.reconnect(item_id, former, account_ids, rows)
            stored.fresh |= fresh
        if stored.moved is not None:
            named = [row.plaid_transaction_id for row in rows]
            stored.moved |= transactions.days_of(item_id, named + batch.removed)
            stored.moved |= {(account_ids[row.plaid_account_id], row.day) for row in rows}
        ingest.save(
            user_id,
            item_id,
            account_ids,
            stored.page_ids,
            rows,
            from_start=stored.moved is None,
            # As a rule. That a row is there after all costs time and nothing else.
            new=stored.first and not (former or batch.modified),
        )
    except KeyError:
        raise transport_error(NONSENSE) from None  # a row of an account nobody mentioned
    edits.carry(item_id, added)
    transactions.mark_removed(item_id, batch.removed)
    modified = len(rows) - len(added)
    stored.counts.update(
        kept=kept, added=len(added) - kept, modified=modified, removed=len(batch.removed)
    )
