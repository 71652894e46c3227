"""Request that an Item is synced, checked, its recurring payments read, or removed at Plaid.

None of these starts a second pull where one that waits will do.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from plaidapp.extensions import db
from plaidapp.store import Item, Pull
from plaidapp.store.connections import items, reconnected_accounts, sync_progress
from plaidapp.store.connections import standby as standby_items
from plaidapp.store.pulls import kinds, line, open_pulls, pulls, transitions


class Named(Protocol):
    """An Item, or the little of one that a webhook has read."""

    @property
    def id(self) -> int: ...
    @property
    def user_id(self) -> int: ...


def sync(item: Named, asked_by: str) -> Pull | None:
    """Count one more request; return the pull to ring for after the commit, if any.

    A running pull syncs again if it finds a newer request before it ends. It looks under the lock
    that counting takes here, so no request is lost and at most one pull is started.
    """
    sync_progress.request_sync(item.id)
    under_way = open_pulls.syncing(item.id)
    if under_way is None:
        return line.add(item.user_id, kinds.TRANSACTIONS, item.id, asked_by)
    if under_way.waits and transitions.hurry(under_way.id):
        return db.session.get_one(Pull, under_way.id)
    return None


def sync_later(item: Item, moment: datetime) -> None:
    """Count one more request, for a pull that begins at `moment` or, if a webhook comes, at once.

    The clock rings for it. A pull that is running may ask too early, so it won't do.
    """
    sync_progress.request_sync(item.id)
    if open_pulls.waiting(item.id, kinds.TRANSACTIONS) is None:
        pulls.add(
            item.user_id,
            kinds.TRANSACTIONS,
            items=[item],
            asked_by=pulls.CLOCK,
            run_after=moment,
        )


def sweep(neglected: Sequence[Item]) -> set[int]:
    """Add pulls for Items that the clock has locked. Return the ids of the Items that got one.

    An Item whose pull is under way gets no other, and no request: the pull would start over again
    and again at a bank that takes longer than a minute.
    """
    under_way = open_pulls.with_sync_under_way([item.id for item in neglected])
    idle = [item for item in neglected if item.id not in under_way]
    pulls.add_each(kinds.TRANSACTIONS, idle, pulls.CLOCK)
    return {item.id for item in idle}


def recurring(item: Named, asked_by: str) -> Pull | None:
    """Have the recurring payments read; return the pull to ring for after the commit, if any.

    A queued pull will do. A running one will not: it may have asked the bank already.
    """
    items.lock(item.id)
    waiting = open_pulls.waiting(item.id, kinds.RECURRING)
    if waiting is None:
        return line.add(item.user_id, kinds.RECURRING, item.id, asked_by)
    return waiting if transitions.hurry(waiting.id) else None


def status(item: Named) -> None:
    """Have Plaid asked about the connection. The clock rings for the pull."""
    if open_pulls.under_way(item.id, kinds.STATUS) is None:
        line.add(item.user_id, kinds.STATUS, item.id, pulls.CLOCK)


def standby(item_id: int) -> None:
    """Request a sync of the Items that take over the accounts this Item no longer reports.

    The clock rings for the pulls. If the Item itself only stood by, it is marked as replaced.
    """
    reconnected_accounts.replace_lost(item_id)
    for item in standby_items.of_lost_accounts(item_id):
        sync(item, pulls.CLOCK)


def check(due: Sequence[Item]) -> None:
    """Have Items compared with their banks, all of which the clock has locked.

    A pull that a failing bank delays is enough for an Item.
    """
    item_ids = [item.id for item in due]
    waiting = open_pulls.with_pull_under_way(item_ids, (kinds.CHECK, kinds.REPAIR))
    pulls.add_each(kinds.CHECK, [item for item in due if item.id not in waiting], pulls.CLOCK)


def remove(item_ids: Iterable[int]) -> None:
    """Have replaced Items removed at Plaid, once each. The clock rings for the pulls."""
    for item_id in item_ids:
        item = db.session.get_one(Item, item_id)
        if open_pulls.under_way(item_id, kinds.REMOVE) is None:
            pulls.add(item.user_id, kinds.REMOVE, items=[item], asked_by=pulls.CLOCK)
