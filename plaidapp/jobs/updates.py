"""Asking for an Item to be read, without starting what is under way already."""

from plaidapp.store import Item, Pull, claims, items, pulls
from plaidapp.store.types import now


def request(item: Item, asked_by: str) -> Pull | None:
    """Counts one more request; returns the pull to ring for after the commit, if any.

    A pull that is running goes round once more by itself, since it looks at the Item's requests
    before it ends, under the lock that the count takes here. So at most one is started.
    """
    items.request_sync([item.id])
    under_way = pulls.syncing(item.id)
    if under_way is None:
        return pulls.add(item.user_id, pulls.TRANSACTIONS, items=[item], asked_by=asked_by)
    waits = under_way.state == pulls.QUEUED and under_way.run_after > now()
    return under_way if waits and claims.hurry(under_way.id) else None


def request_streams(item: Item, asked_by: str) -> Pull | None:
    """Asks what recurs to be read; returns the pull to ring for after the commit, if any.

    A pull that waits in the queue will do, one that is running may have asked the bank already.
    """
    items.lock(item.id)
    waiting = pulls.waiting(item.id, pulls.RECURRING)
    if waiting is None:
        return pulls.add(item.user_id, pulls.RECURRING, items=[item], asked_by=asked_by)
    return waiting if claims.hurry(waiting.id) else None
