"""Link tokens: what a client asked for, and how long it is valid."""

import sqlite3
from dataclasses import dataclass

import msgspec

from sandbox import errors
from sandbox.context import Sandbox
from sandbox.http_json import encode
from sandbox.link_request import LinkRequest
from sandbox.store import next_number

NEW_ITEM_SECONDS = 4 * 60 * 60
# Tokens for update mode and hosted links expire sooner, because they are meant for immediate use.
UPDATE_MODE_SECONDS = 30 * 60
HOSTED_SECONDS = 30 * 60


@dataclass(frozen=True)
class LinkToken:
    """A row of the link_token table. Times are Unix time; `used` is when a session succeeded.

    `item` is the number of the Item in update mode, and None for a new Item.
    """

    token: str
    hosted_id: str | None
    item: int | None
    request: LinkRequest
    created: float
    expires: float
    used: float | None

    @property
    def completion_redirect_uri(self) -> str | None:
        hosted = self.request.hosted_link
        return hosted.completion_redirect_uri if hosted else None

    @property
    def selects_accounts(self) -> bool:
        """Whether the person chooses the accounts: always, but in update mode only on request."""
        update = self.request.update
        return self.item is None or (update is not None and update.account_selection_enabled)


def create(
    sandbox: Sandbox, db: sqlite3.Connection, request: LinkRequest, item: int | None
) -> LinkToken:
    """Create a token. `item` is the number of the Item to update, or None."""
    now, number = sandbox.now(), next_number(db, "link")
    link = LinkToken(
        token=sandbox.ids.token("link", number),
        hosted_id=sandbox.ids.opaque("hosted", number) if request.hosted_link else None,
        item=item,
        request=request,
        created=now,
        expires=now + _lifetime(request),
        used=None,
    )
    stored = encode(msgspec.structs.replace(request, secret="", access_token=None)).decode()
    db.execute(
        "INSERT INTO link_token VALUES (?, ?, ?, ?, ?, ?, ?)",
        (link.token, link.hosted_id, item, stored, now, link.expires, None),
    )
    return link


def _lifetime(request: LinkRequest) -> int:
    """Return the seconds that a token is valid."""
    if request.hosted_link:
        return request.hosted_link.url_lifetime_seconds or HOSTED_SECONDS
    return UPDATE_MODE_SECONDS if request.access_token else NEW_ITEM_SECONDS


def find(db: sqlite3.Connection, client_id: str, token: str) -> LinkToken:
    """Find a token. Raises PlaidError for one that isn't this client's."""
    link = by_token(db, token)
    if link is None or link.request.client_id != client_id:
        raise errors.invalid_link_token()
    return link


def by_token(db: sqlite3.Connection, token: str) -> LinkToken | None:
    row = db.execute("SELECT * FROM link_token WHERE token = ?", (token,)).fetchone()
    return _from_row(row) if row else None


def find_hosted(db: sqlite3.Connection, hosted_id: str) -> LinkToken | None:
    """Find the token of a hosted link."""
    row = db.execute("SELECT * FROM link_token WHERE hosted_id = ?", (hosted_id,)).fetchone()
    return _from_row(row) if row else None


def _from_row(row: sqlite3.Row) -> LinkToken:
    request = msgspec.json.decode(row["request"], type=LinkRequest)
    return LinkToken(**{**dict(row), "request": request})


def is_used(db: sqlite3.Connection, link: LinkToken) -> bool:
    """Return whether a session has succeeded by now."""
    query = "SELECT used FROM link_token WHERE token = ?"
    return db.execute(query, (link.token,)).fetchone()["used"] is not None


def mark_used(db: sqlite3.Connection, link: LinkToken, now: float) -> None:
    db.execute("UPDATE link_token SET used = ? WHERE token = ?", (now, link.token))
