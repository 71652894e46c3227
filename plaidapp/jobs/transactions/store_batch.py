"""Store a batch of an update's rows, and set aside what can't be stored.

All batches of an update are stored in one transaction (store_update.py).
"""

import functools
from collections import Counter
from collections.abc import Collection, Container, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

from plaidapp.bank.unread import TRANSACTION, Unread
from plaidapp.store.reports import derived
from plaidapp.store.transactions import (
    carried_edits,
    ingest,
    item_rows,
    raw_pages,
    reconnected_rows,
    set_aside,
    transfers,
)
from plaidapp.store.transactions.ingest import Row
from plaidapp.texts import gettext_noop

from .batches import Batch

NO_ACCOUNT = gettext_noop("The bank has not listed this account yet: %(reason)s")


@dataclass
class Storing:
    """An update while it is stored.

    `account_ids` are our ids of the Item's accounts by Plaid's, and `departed` are Plaid's ids of
    accounts that another Item reports now.
    `reported_days` are days with a new balance from the bank. `changed_days` are days whose rows
    changed, or None after a complete reading from the beginning: then all days are derived again.
    `sizes` are the amounts of the changed rows without the sign, in units of 10^-8. `rereads` says
    that the bank sends rows again that are stored already. `former` are the Items that its accounts
    came from. `aside` is what was set aside before.
    `new_ids` are Plaid's ids of rows that were not stored before. `page_ids` are the ids of the
    stored raw pages. `counts` has the names of PullItem's columns.
    """

    user_id: int
    item_id: int
    account_ids: Mapping[str, int]
    departed: Set[str]
    is_first: bool
    rereads: bool
    reported_days: set[derived.Day]
    changed_days: set[derived.Day] | None
    former: Sequence[int]
    aside: set_aside.Keys
    sizes: set[int] = field(default_factory=set)
    new_ids: set[str] = field(default_factory=set)
    page_ids: list[int | None] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


def store_batch(storing: Storing, batch: Batch) -> None:
    """Store the rows of accounts that are stored; set the others aside.

    Rows of accounts that another Item reports now are left out.
    """
    item_id = storing.item_id
    known = storing.account_ids.keys() - storing.departed
    added = [row for row in batch.added if row.plaid_account_id in known]
    modified = [row for row in batch.modified if row.plaid_account_id in known]
    if len(added) + len(modified) < len(batch.added) + len(batch.modified):
        batch.unread += _waiting(batch, known | storing.departed, len(storing.page_ids))
    storing.page_ids += raw_pages.save(item_id, batch.bodies)
    rows = added + modified
    sent = [row.plaid_transaction_id for row in added]
    shown = item_rows.count_shown(item_id, sent) if storing.rereads else 0
    kept = _save_rows(storing, rows, batch.removed, is_new=not batch.modified)
    carried_edits.carry(item_id, added)
    item_rows.mark_removed(item_id, batch.removed)
    named = {row.plaid_transaction_id for row in rows}.union(batch.removed)
    gone = set(batch.removed)
    _set_aside(storing, [row for row in batch.unread if row.plaid_id not in gone], named)
    storing.counts.update(
        kept=kept,
        added=len(added) - kept - shown,
        modified=len(modified),
        removed=len(batch.removed),
    )


def _waiting(batch: Batch, listed: Container[str], first_page: int) -> Iterator[Unread]:
    """Yield the rows of accounts that the bank has not listed yet, as it sent them."""
    texts = functools.cache(lambda page: raw_pages.texts_of(batch.bodies[page - first_page]))
    for row in (*batch.added, *batch.modified):
        plaid_id, account_id = row.plaid_transaction_id, row.plaid_account_id
        if account_id not in listed:
            reason = NO_ACCOUNT % {"reason": account_id}
            yield Unread(TRANSACTION, plaid_id, texts(row.page)[plaid_id], reason, account_id)


def _save_rows(
    storing: Storing,
    rows: list[Row],
    removed: list[str],
    *,
    is_new: bool,
) -> int:
    """Return how many of the rows an earlier connection had stored.

    `is_new` says that the bank calls none of the rows modified.
    """
    item_id, account_ids, kept = storing.item_id, storing.account_ids, 0
    if storing.former:
        kept, new_ids = reconnected_rows.reconnect(item_id, storing.former, account_ids, rows)
        storing.new_ids |= new_ids
    if storing.changed_days is not None:
        named = [row.plaid_transaction_id for row in rows]
        for account_id, day, size in item_rows.places_of(item_id, named + removed):
            storing.changed_days.add((account_id, day))  # where they were
            storing.sizes.add(size)
        storing.changed_days |= {(account_ids[row.plaid_account_id], row.day) for row in rows}
        storing.sizes |= {abs(row.amount) for row in rows if transfers.may_be_side(row)}
    ingest.save(
        storing.user_id,
        item_id,
        account_ids,
        storing.page_ids,
        rows,
        from_start=storing.changed_days is None,
        # A guess: if wrong, it costs only time.
        new=storing.is_first and is_new and not storing.former,
    )
    return kept


def _set_aside(storing: Storing, unread: Sequence[Unread], named: Collection[str]) -> None:
    """Set rows aside, and forget those that the bank has sent again or has removed."""
    before = storing.aside[TRANSACTION]
    if not before and not unread:
        return
    now_aside = {set_aside.key_of(row) for row in unread if row.kind == TRANSACTION}
    settled = before.intersection(named) - now_aside
    set_aside.forget(storing.item_id, TRANSACTION, settled)
    set_aside.add(storing.item_id, unread)
    storing.aside[TRANSACTION] = before - settled | now_aside
