"""Which accounts of a user an Item lists. The transactions follow their account.

An account is shared with the client, or only available: then the user can share it in update mode.
A closed account is neither. Rows of an account that isn't shared have change positions above
HIDDEN, which no cursor reaches. When it is shared, its rows take the next positions, so that
clients see them as added.
"""

import sqlite3
from collections.abc import Iterable
from typing import Literal

from sandbox.items import Item
from sandbox.transaction_store import HIDDEN, hide_rows

Access = Literal["shared", "available", "closed"]


def all_rows(db: sqlite3.Connection, item: Item) -> list[sqlite3.Row]:
    """Return all accounts of the user in the bank's order. `items.account_rows` are the shared."""
    query = "SELECT account_id, body, access FROM account WHERE item = ? ORDER BY ordinal"
    return db.execute(query, (item.number,)).fetchall()


def withhold(
    db: sqlite3.Connection, item: Item, account_ids: Iterable[str], access: Access = "available"
) -> None:
    """Stop sharing these accounts. Clients aren't told, as with Plaid: they are just not listed."""
    _set_access(db, item, account_ids, access)
    hide_rows(db, item.number)


def share(db: sqlite3.Connection, item: Item, account_ids: Iterable[str]) -> int:
    """Share these available accounts, and return how many transactions clients now see."""
    _set_access(db, item, account_ids, "shared")
    shown = db.execute(
        "UPDATE ledger SET created = place.position, changed = place.position FROM"
        " (SELECT rowid AS id, :head + row_number() OVER (ORDER BY date DESC, created) AS position"
        "  FROM ledger WHERE item = :item AND created > :hidden AND removed IS NULL AND account_id"
        "  IN (SELECT account_id FROM account WHERE item = :item AND access = 'shared')) AS place"
        " WHERE ledger.rowid = place.id",
        {"item": item.number, "head": item.head, "hidden": HIDDEN},
    ).rowcount
    db.execute("UPDATE item SET head = head + ? WHERE number = ?", (shown, item.number))
    return shown


def _set_access(
    db: sqlite3.Connection, item: Item, account_ids: Iterable[str], access: Access
) -> None:
    db.executemany(
        "UPDATE account SET access = ? WHERE item = ? AND account_id = ?",
        [(access, item.number, account_id) for account_id in account_ids],
    )
