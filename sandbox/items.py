"""Items: finding them and reading their state."""

import sqlite3
from dataclasses import dataclass
from typing import Any

import msgspec

from sandbox import errors, institution_health
from sandbox.context import Sandbox, optional_timestamp, timestamp
from sandbox.institutions import BY_ID

CONSENT_SECONDS = 365 * 24 * 60 * 60
GONE = "ITEM_NOT_FOUND"
LOST = frozenset((GONE, "USER_PERMISSION_REVOKED"))
"""Errors after which update mode can't restore an Item."""
CONSENT_ENDS = "CONSENT_ENDS"
"""The moment at which the user's consent to an Item ends."""


@dataclass(frozen=True)
class Item:
    """A row of the item table.

    Times are Unix time. `started` is when its transaction updates started. The heads are
    change positions; see `sandbox.transaction_store`.
    """

    number: int
    item_id: str
    client_id: str
    access_token: str | None
    institution_id: str
    products: str
    consented: str
    username: str
    webhook: str | None
    created: float
    first_date: str | None
    last_date: str | None
    started: float | None
    initial_head: int
    historical_head: int
    head: int
    synced: int
    error_code: str | None
    consent_expires: float | None
    removed: int
    updated: float | None
    failed: float | None
    webhook_code: str | None
    webhook_sent: float | None

    @property
    def product_list(self) -> list[str]:
        return msgspec.json.decode(self.products, type=list[str])

    @property
    def consented_list(self) -> list[str]:
        return msgspec.json.decode(self.consented, type=list[str])

    @property
    def error(self) -> errors.PlaidError | None:
        return errors.documented(self.error_code) if self.error_code else None

    def initial_complete(self, sandbox: Sandbox) -> bool:
        return self.started is not None and sandbox.now() >= self.started + sandbox.initial_delay

    def historical_complete(self, sandbox: Sandbox) -> bool:
        delay = max(sandbox.initial_delay, sandbox.historical_delay)
        return self.started is not None and sandbox.now() >= self.started + delay

    def visible_head(self, sandbox: Sandbox) -> int | None:
        """Return the last change position visible to clients; None before the first update."""
        if self.historical_complete(sandbox):
            return self.head
        return self.initial_head if self.initial_complete(sandbox) else None

    def to_dict(self, *, with_consent: bool = False) -> dict[str, Any]:
        """Return Plaid's Item object."""
        institution = BY_ID[self.institution_id]
        products = self.product_list
        fields: dict[str, Any] = {
            "auth_method": None,
            "available_products": sorted(institution.products - set(products)),
            "billed_products": products,
            "consent_expiration_time": optional_timestamp(self.consent_expires),
            "error": self.error.fields() if self.error else None,
            "institution_id": self.institution_id,
            "institution_name": institution.name,
            "item_id": self.item_id,
            "products": products,
            "update_type": "background",
            "webhook": self.webhook,
        }
        if with_consent:
            fields["consented_products"] = self.consented_list
            fields["created_at"] = timestamp(self.created)
        return fields


def find(db: sqlite3.Connection, access_token: str) -> Item:
    """Find an Item. Raises PlaidError for an unknown token or an Item that no longer exists."""
    row = db.execute("SELECT * FROM item WHERE access_token = ?", (access_token,)).fetchone()
    if row is None:
        raise errors.invalid_access_token()
    item = Item(**row)
    if item.removed or item.error_code == GONE:
        raise errors.documented(GONE)
    return item


def find_healthy(db: sqlite3.Connection, access_token: str) -> Item:
    """Find an Item like `find`, but also raise PlaidError if it can't be read.

    It can't while it has an error, while its bank is down, and when no account is shared anymore.
    """
    item = find(db, access_token)
    if item.error:
        raise item.error
    institution_health.check_is_up(db, item.institution_id)
    if not account_rows(db, item):
        raise errors.documented("NO_ACCOUNTS")
    return item


def id_of(sandbox: Sandbox, access_token: str) -> str | None:
    """Return the id of the Item with this access token, or None."""
    with sandbox.store.read() as db:
        query = "SELECT item_id FROM item WHERE access_token = ?"
        row = db.execute(query, (access_token,)).fetchone()
    return row["item_id"] if row else None


def by_number(db: sqlite3.Connection, number: int) -> Item:
    return Item(**db.execute("SELECT * FROM item WHERE number = ?", (number,)).fetchone())


def account_rows(db: sqlite3.Connection, item: Item) -> list[sqlite3.Row]:
    """Return the accounts that are shared with the client."""
    return db.execute(
        "SELECT account_id, body, has_transactions FROM account"
        " WHERE item = ? AND access = 'shared' ORDER BY ordinal",
        (item.number,),
    ).fetchall()


def set_error(db: sqlite3.Connection, item: Item, code: str | None) -> None:
    """Put the Item into the state of this error of the catalog, or back into a good state."""
    db.execute("UPDATE item SET error_code = ? WHERE number = ?", (code, item.number))


def repair(db: sqlite3.Connection, item: Item, now: float) -> None:
    """Put the Item into a good state after a log-in at `now`. Consent that ends starts anew."""
    set_error(db, item, None)
    if item.consent_expires is not None:
        renewed = now + CONSENT_SECONDS
        db.execute("UPDATE item SET consent_expires = ? WHERE number = ?", (renewed, item.number))


def remove(db: sqlite3.Connection, item: Item) -> None:
    """Delete an Item's data, but remember that the Item existed."""
    for table in ("account", "ledger", "moment", "delivery", "password", "public_token"):
        db.execute(f"DELETE FROM {table} WHERE item = ?", (item.number,))  # noqa: S608 (fixed names)
    db.execute("UPDATE item SET removed = 1, webhook = NULL WHERE number = ?", (item.number,))


def last_update(sandbox: Sandbox, item: Item) -> str | None:
    """Return when the sandbox last pulled transactions from the bank, or None."""
    if item.updated:
        return timestamp(item.updated)
    if item.started is None or not item.initial_complete(sandbox):
        return None
    delay = sandbox.historical_delay if item.historical_complete(sandbox) else sandbox.initial_delay
    return timestamp(item.started + delay)
