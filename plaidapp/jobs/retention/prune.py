"""Once a night, delete what is older than policy/retention.py says, in small steps.

Each step looks through the rows of a few Items or people and is a transaction of its own. How far
it has come is stored with it: whoever ends in the middle, the next step goes on from there, and
several clocks share the work without doing any of it twice.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import select

from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.store import Item, User
from plaidapp.store.base.types import now
from plaidapp.store.connections import old_rows as connections
from plaidapp.store.health import walks
from plaidapp.store.health.walks import Walk
from plaidapp.store.pulls import old_pulls
from plaidapp.store.transactions import old_rows as transactions
from plaidapp.store.webhooks import old_rows as webhooks

Delete = Callable[[Sequence[int], int], int]

DELETES: dict[str, tuple[Any, dict[str, Delete]]] = {
    "items": (
        Item.id,
        {
            "quiet pulls": old_pulls.delete_quiet,
            "pulls": old_pulls.delete_of_items,
            "webhooks": webhooks.delete_of_items,
            "changes of state": connections.delete_state_changes,
            "raw pages": transactions.delete_pages,
        },
    ),
    "people": (
        User.id,
        {
            "pulls": old_pulls.delete_of_people,
            "sessions of Link": connections.delete_link_sessions,
            "edits": transactions.delete_edits,
        },
    ),
}
"""What is deleted on each walk, by whose id it goes."""
NOBODYS = "webhooks and keys of nobody"


def step() -> Counter[str] | None:
    """Do the next step of tonight's walks and commit. Return what was deleted.

    That is nothing if another process has the walk. None if no walk is due before the next night.
    """
    due = walks.due(tuple(DELETES))
    for name in due:
        walk = walks.lock(name)
        if walk is not None and walk.due_at <= now():
            return _step(walk)
    db.session.commit()
    return Counter() if due else None


def everything() -> Iterator[Counter[str]]:
    """Walk from the beginning to the end now, whatever the hour. Yield what each step deleted."""
    walks.due(tuple(DELETES))  # makes those that are not known
    walks.begin_all()
    db.session.commit()
    while (deleted := step()) is not None:
        yield deleted


def _step(walk: Walk) -> Counter[str]:
    owner, deletes = DELETES[walk.name]
    query = select(owner).where(owner > walk.position).order_by(owner).limit(policy.PRUNE_OWNERS)
    ids = db.session.scalars(query).all()
    deleted = Counter({name: delete(ids, policy.PRUNE_ROWS) for name, delete in deletes.items()})
    if not ids:
        deleted[NOBODYS] = webhooks.delete_of_nobody(policy.PRUNE_ROWS)
        walk.position, walk.due_at = 0, policy.next_prune(now())
    elif max(deleted.values()) < policy.PRUNE_ROWS:  # otherwise there is more of these
        walk.position = ids[-1]
    db.session.commit()
    return deleted
