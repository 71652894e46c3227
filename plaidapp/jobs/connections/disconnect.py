"""Disconnect a bank because the person wants it: what happens at once.

The pull that this adds tells Plaid (remove.py), however long that takes.
"""

from plaidapp.store import Item, Pull
from plaidapp.store.connections import (
    disconnection,
    former_accounts,
    items,
    link_sessions,
    standby,
)
from plaidapp.store.people import users
from plaidapp.store.pulls import kinds, link_pulls, open_pulls, pulls, transitions

from ..pulls import item_requests


def disconnect(item: Item, *, deletes_history: bool) -> Pull:
    """Disconnect the Item and return the pull to ring for after the commit.

    Other connections that list its accounts too take them over, with their whole history. The rest
    is closed, and deleted by the pull if the person wants that. Workers that are reading the Item
    stop and store nothing more.
    """
    users.lock_ledger(item.user_id)
    items.lock_all(item.user_id)
    disconnection.begin(item.id, deletes_history=deletes_history)
    taking_over = standby.of_lost_accounts(item.id)
    for other in taking_over:
        standby.take_over(other.id)
    disconnection.close_accounts(item.id)
    link_sessions.end_of_item(item.id)
    users.ledger_changed(item.user_id)  # before pulls: workers that report lock them in this order
    link_pulls.dismiss_of_item(item.id)
    former = former_accounts.replaced_items(item.id)
    if deletes_history:
        former = disconnection.predecessors(item.id)
        disconnection.include(former)
    item_requests.remove(former)
    for other in taking_over:
        item_requests.sync(other, pulls.CLOCK)
    transitions.take_back(item.id)
    return _pull_of(item)


def _pull_of(item: Item) -> Pull:
    """Return a new pull, or one that waits to ask Plaid once more and is now due."""
    waiting = open_pulls.waiting(item.id, kinds.DISCONNECT)
    if waiting is None:
        fields = {"institution_id": item.institution_id}
        return pulls.add(item.user_id, kinds.DISCONNECT, items=[item], **fields)
    transitions.queue_again(waiting.id)
    return pulls.by_id(waiting.id)
