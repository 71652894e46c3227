"""How often /transactions/refresh may be called, in the Sandbox as in Production.

https://plaid.com/docs/errors/rate-limit-exceeded/#transactions_refresh_limit
"""

import sqlite3

from sandbox import errors
from sandbox.items import Item

SECONDS = 60
PER_ITEM, PER_CLIENT = 2, 100


def count_refresh(db: sqlite3.Connection, item: Item, now: float) -> None:
    """Count a call at `now`, in Unix time. Raises PlaidError if it is one too many."""
    db.execute("DELETE FROM refresh WHERE at <= ?", (now - SECONDS,))
    of_item, of_client = db.execute(
        "SELECT count(*) FILTER (WHERE item = ?), count(*) FROM refresh WHERE client_id = ?",
        (item.number, item.client_id),
    ).fetchone()
    if of_item >= PER_ITEM or of_client >= PER_CLIENT:
        raise errors.documented("TRANSACTIONS_REFRESH_LIMIT")
    db.execute("INSERT INTO refresh VALUES (?, ?, ?)", (item.number, item.client_id, now))
