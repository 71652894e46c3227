"""Sync cursors: a client's position in an Item's changes, as opaque base64."""

import base64
import binascii

import msgspec


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """A position in the difference between an Item's state at `base` and its state at `head`.

    `phase` is the list in which the page ended (0 added, 1 modified, 2 removed). `after` is the
    last change position returned from that list. Between updates, `base == head`.
    """

    item_id: str
    account_id: str
    base: int
    head: int
    phase: int
    after: int

    @property
    def mid_update(self) -> bool:
        """True if more pages of the same update follow."""
        return self.base != self.head

    def encode(self) -> str:
        return base64.b64encode(msgspec.msgpack.encode(self)).decode()


def start(item_id: str, account_id: str, position: int = 0) -> Cursor:
    """Return the cursor of a client that has every change up to `position`."""
    return Cursor(item_id, account_id, position, position, 0, position)


def decode(text: str) -> Cursor:
    """Decode what `Cursor.encode` returned. Raises ValueError for anything else."""
    try:
        cursor = msgspec.msgpack.decode(base64.b64decode(text, validate=True), type=Cursor)
    except (binascii.Error, msgspec.DecodeError) as error:
        raise ValueError("not a cursor") from error
    in_order = 0 <= cursor.base <= cursor.after <= cursor.head and 0 <= cursor.phase <= 2
    if not in_order:
        raise ValueError("not a cursor")
    return cursor
