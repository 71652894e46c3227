"""Bringing one Item's transactions up to date: fetch a whole update, then store it at once.

The order is what keeps the ledger exact. All pages are fetched with no transaction open; then one
transaction writes the rows and moves the cursor, if the cursor still stands where the update began.
https://plaid.com/docs/api/products/transactions/#transactionssync
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple

from flask import current_app

from plaidapp.bank.client import DAYS_REQUESTED, Bank, decode_page
from plaidapp.bank.errors import MUTATION, NONSENSE, BankError, transport_error
from plaidapp.bank.payloads import SyncPage
from plaidapp.extensions import db
from plaidapp.store import (
    Item,
    PullItem,
    accounts,
    adoption,
    edits,
    items,
    pulls,
    rollups,
    takeover,
    transactions,
    users,
)
from plaidapp.store.types import now

from . import updates
from .attempt import Attempt
from .spool import Spool

MAX_RESTARTS = 3
"""How often an update is begun anew because the bank changed its records between two pages."""


class Start(NamedTuple):
    """Where an update begins. `want` is the newest request it will satisfy.

    `came_from` is the cursor that has to stand when the update is stored; it is `cursor` itself
    unless the Item is read afresh.
    """

    token: bytes
    came_from: str
    cursor: str
    want: int

    @property
    def afresh(self) -> bool:
        return self.cursor == ""


def resync(attempt: Attempt, part: PullItem) -> None:
    """Reads the Item from the beginning again: what differs is mended, edits stay. As `sync`."""
    sync(attempt, part, afresh=True)


def sync(attempt: Attempt, part: PullItem, *, afresh: bool = False) -> None:
    """Goes round until an update is stored and every request made so far is applied.

    Raises BankError.
    """
    stored = False
    while not stored or _is_behind(part.item_id):
        start = _start(part.item_id, afresh=afresh)
        with Spool() as spool:
            last = _fetch(attempt, part, start, spool)
            attempt.report(part, phase=pulls.STORING)
            stored = _store(attempt, part, start, spool, last)
    complete = last.transactions_update_status == items.COMPLETE
    attempt.report(part, phase=pulls.DONE if complete else pulls.PREPARING)


def _start(item_id: int, *, afresh: bool) -> Start:
    """Read before the bank is asked: a request made during the update is for the next one."""
    token, cursor, want = db.session.execute(
        db.select(Item.access_token, Item.cursor, Item.sync_requested).where(Item.id == item_id)
    ).one()
    db.session.commit()
    return Start(token, cursor, "" if afresh else cursor, want)


def _is_behind(item_id: int) -> bool:
    query = db.select(Item.sync_applied < Item.sync_requested).where(Item.id == item_id)
    behind = bool(db.session.scalar(query))
    db.session.commit()
    return behind


def _fetch(attempt: Attempt, part: PullItem, start: Start, spool: Spool) -> SyncPage:
    """Spools every page of the update and returns the last one."""
    for _ in range(MAX_RESTARTS):
        try:
            return _fetch_pages(attempt, part, start, spool)
        except BankError as error:
            if error.code != MUTATION:
                raise
            spool.clear()
    return _fetch_pages(attempt, part, start, spool)


def _fetch_pages(attempt: Attempt, part: PullItem, start: Start, spool: Spool) -> SyncPage:
    bank: Bank = current_app.extensions["bank"]
    attempt.report(part, phase=pulls.ASKING, pages=0, rows=0, error_code=None, error_message=None)
    cursor, rows = start.cursor, 0
    while True:
        body = bank.sync_page(start.token, cursor)
        page = decode_page(body)
        spool.append(body)
        rows += len(page.added) + len(page.modified) + len(page.removed)
        attempt.report(
            part,
            phase=pulls.READING,
            pages=len(spool),
            rows=rows,
            request_id=page.request_id,
        )
        if not page.has_more:
            return page
        if page.next_cursor == cursor:
            raise transport_error(NONSENSE)  # would go on for ever
        cursor = page.next_cursor


@dataclass
class Stored:
    """What an update has done so far. `counts` has PullItem's names; `moved` and `said` are the
    days that rollups.refresh wants to hear of; `fresh` Plaid's ids of rows that were not here."""

    counts: Counter[str] = field(default_factory=Counter)
    moved: set[rollups.Day] = field(default_factory=set)
    said: set[rollups.Day] = field(default_factory=set)
    fresh: set[str] = field(default_factory=set)


def _store(attempt: Attempt, part: PullItem, start: Start, spool: Spool, last: SyncPage) -> bool:
    """One transaction. False, and it is thrown away, when somebody else's sync came first."""
    item_id, status = part.item_id, last.transactions_update_status
    users.lock_ledger(attempt.pull.user_id)
    # What a complete reading from the beginning does not name is gone at the bank, unless it is
    # older than what Plaid gives.
    whole = start.afresh and status == items.COMPLETE
    reach = now().date() - timedelta(days=DAYS_REQUESTED)
    unseen = transactions.shown_ids(item_id, reach) if whole else set()
    stored = Stored()
    for body in spool:
        page = decode_page(body)
        _store_page(attempt.pull.user_id, item_id, page, stored)
        unseen.difference_update(sent.transaction_id for sent in page.added + page.modified)
    transactions.mark_removed(item_id, list(unseen))
    gone = adoption.settle(item_id, takeover.former_items(item_id), status, stored.fresh)
    stored.counts["removed"] += len(unseen) + len(gone)
    changed = any(stored.counts.values())
    if not items.advance(
        item_id, start.came_from, last.next_cursor, start.want, status, changed=changed
    ):
        attempt.roll_back()
        return False
    if whole:
        rollups.rebuild(list(accounts.ids_of_item(item_id).values()))
    else:
        rollups.refresh(stored.moved.union(gone), stored.said)
    if items.streams_due(item_id):  # the clock rings for it
        updates.request_streams(part.item, pulls.CLOCK)
    for name, count in stored.counts.items():
        setattr(part, name, getattr(part, name) + count)
    attempt.report(part, stored=True)
    return True


def _store_page(user_id: int, item_id: int, page: SyncPage, stored: Stored) -> None:
    stored.said |= takeover.save_accounts(user_id, item_id, page.accounts)
    void = takeover.left(item_id)  # another Item speaks for these accounts now
    added = [sent for sent in page.added if sent.account_id not in void]
    sent = added + [row for row in page.modified if row.account_id not in void]
    gone = [row.transaction_id for row in page.removed]
    account_ids = accounts.ids_of_item(item_id)
    kept = 0
    try:
        if former := takeover.former_items(item_id):
            kept, fresh = adoption.adopt(item_id, former, account_ids, sent)
            stored.fresh |= fresh
        stored.moved |= transactions.days_of(item_id, [row.transaction_id for row in sent] + gone)
        transactions.save(user_id, item_id, account_ids, sent)
    except KeyError:
        raise transport_error(NONSENSE) from None  # a row of an account nobody mentioned
    stored.moved.update((account_ids[row.account_id], row.date) for row in sent)
    edits.carry(item_id, added)
    transactions.mark_removed(item_id, gone)
    modified = len(sent) - len(added)
    stored.counts.update(kept=kept, added=len(added) - kept, modified=modified, removed=len(gone))
