"""What can't be read of an answer."""

from typing import NamedTuple

READER = 3
"""The version of what payloads.py and rows.py can read. Raise it when they can read more: rows that
an older version could not read are then read again."""
TRANSACTION, REMOVED, ACCOUNT, STREAM = "transaction", "removed", "account", "stream"


class Unread(NamedTuple):
    """A row of an answer that can't be stored, with the text that the bank sent for it.

    `kind` is one of the constants above. `plaid_id` is None if not even that could be read. The
    `reason` has a sentence for a person in each line. `is_part` says that only an optional part
    can't be read, such as a name; the rest of the row is then in the answer too. `waits_for` is
    Plaid's id of an account that is not stored yet.
    """

    kind: str
    plaid_id: str | None
    raw: bytes
    reason: str
    waits_for: str | None = None
    is_part: bool = False
