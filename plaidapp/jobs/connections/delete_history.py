"""Delete everything that is stored of a connection, without keeping anybody waiting."""

import threading

from plaidapp import policy
from plaidapp.store import PullItem
from plaidapp.store.connections import accounts, link_results, link_sessions, notices, state_changes
from plaidapp.store.people import users
from plaidapp.store.pulls import deleted_pulls
from plaidapp.store.recurring import save_streams
from plaidapp.store.transactions import deleted_rows, raw_pages, set_aside
from plaidapp.store.webhooks import deliveries

from ..pulls.attempt import Attempt

ROWS_OF_PAGE = 10
"""A stored page takes as much room as some rows, even if few of its own are left."""


def delete_history(attempt: Attempt, pull_item: PullItem) -> None:
    """Delete the Item's rows, edits, totals, balances, pages and log, a part at a time.

    Each part is a transaction of its own, with a pause after it: SQLite has one writer. If the
    worker dies, the next one goes on. What another connection also names stays that connection's.
    """
    user_id, item_id = attempt.pull.user_id, pull_item.item_id
    users.lock_ledger(user_id)
    while rows := deleted_rows.delete_some(user_id, item_id, policy.DELETE_BATCH):
        attempt.report(pull_item, stored=True, removed=pull_item.removed + rows)
        _pause()
        users.lock_ledger(user_id)
    accounts.delete_of_item(item_id)
    save_streams.delete_of_item(item_id)
    set_aside.delete_of_item(item_id)
    link_sessions.delete_of_item(item_id)
    link_results.forget_item(item_id)
    state_changes.delete_of_item(item_id)
    notices.delete_of_item(item_id)
    deliveries.delete_of_item(item_id)
    deleted_pulls.delete_of_item(item_id)
    attempt.report(pull_item, stored=True)
    users.lock_ledger(user_id)
    while raw_pages.delete_unused(item_id, policy.DELETE_BATCH // ROWS_OF_PAGE):
        attempt.report(pull_item)
        _pause()
        users.lock_ledger(user_id)


def _pause() -> None:
    threading.Event().wait(policy.DELETE_PAUSE)
