"""Public tokens: issued when a person has linked an Item, and exchanged for an access token."""

import sqlite3

from sandbox import errors
from sandbox.context import Sandbox
from sandbox.items import Item, by_number
from sandbox.store import next_number

PUBLIC_TOKEN_SECONDS = 30 * 60


def issue_public_token(sandbox: Sandbox, db: sqlite3.Connection, item: int) -> str:
    """Return a new public token of the Item with this number."""
    token = sandbox.ids.token("public", next_number(db, "public_token"))
    db.execute("INSERT INTO public_token VALUES (?, ?, ?)", (token, item, sandbox.now()))
    return token


def find_item(sandbox: Sandbox, db: sqlite3.Connection, client_id: str, public_token: str) -> Item:
    """Return the Item of a public token.

    Raises PlaidError for a token that isn't this client's, and 30 minutes after it was issued.
    """
    row = db.execute("SELECT * FROM public_token WHERE token = ?", (public_token,)).fetchone()
    item = by_number(db, row["item"]) if row else None
    if item is None or item.client_id != client_id:
        raise errors.invalid_public_token()
    if sandbox.now() > row["created"] + PUBLIC_TOKEN_SECONDS:
        raise errors.invalid_public_token(
            "provided public token is expired. Public tokens expire 30 minutes after creation"
            " at which point they can no longer be exchanged"
        )
    return item
