"""Ask for an Item to be synced, read again or removed, without starting a pull twice."""

from collections.abc import Iterable

from plaidapp.extensions import db
from plaidapp.store import Item, Pull
from plaidapp.store.base.types import now
from plaidapp.store.connections import items, sync_progress
from plaidapp.store.pulls import pulls, transitions


def sync(item: Item, asked_by: str) -> Pull | None:
    """Counts one more request; returns the pull to ring for after the commit, if any.

    A pull that is running goes round once more by itself, since it looks at the Item's requests
    before it ends, under the lock that the count takes here. So at most one is started.
    """
    sync_progress.request_sync([item.id])
    under_way = pulls.syncing(item.id)
    if under_way is None:
        return pulls.add(item.user_id, pulls.TRANSACTIONS, items=[item], asked_by=asked_by)
    waits = under_way.state == pulls.QUEUED and under_way.run_after > now()
    return under_way if waits and transitions.hurry(under_way.id) else None


def recurring(item: Item, asked_by: str) -> Pull | None:
    """Asks what recurs to be read; returns the pull to ring for after the commit, if any.

    A pull that waits in the queue will do, one that is running may have asked the bank already.
    """
    items.lock(item.id)
    waiting = pulls.waiting(item.id, pulls.RECURRING)
    if waiting is None:
        return pulls.add(item.user_id, pulls.RECURRING, items=[item], asked_by=asked_by)
    return waiting if transitions.hurry(waiting.id) else None


def removal(item_ids: Iterable[int]) -> None:
    """Ask for Items that were replaced to be removed at Plaid. The clock rings for the pulls."""
    for item_id in item_ids:
        item = db.session.get_one(Item, item_id)
        pulls.add(item.user_id, pulls.REMOVE, items=[item], asked_by=pulls.CLOCK)
