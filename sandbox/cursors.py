"""Sync cursors: where in an Item's changes a client stands, as opaque base64."""

import base64
import binascii

import msgspec


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """A place in the difference between an Item's state at `base` and its state at `head`.

    `phase` is the list that the page ended in (0 added, 1 modified, 2 removed) and `after` the
    last change position given from it. A cursor that is not between pages has `base == head`.
    """

    item_id: str
    account_id: str
    base: int
    head: int
    phase: int
    after: int

    @property
    def mid_update(self) -> bool:
        return self.base != self.head

    def encode(self) -> str:
        return base64.b64encode(msgspec.msgpack.encode(self)).decode()


def start(item_id: str, account_id: str, position: int = 0) -> Cursor:
    """The cursor of a client that has everything up to `position`."""
    return Cursor(item_id, account_id, position, position, 0, position)


def decode(text: str) -> Cursor:
    """Raises ValueError for what `Cursor.encode` did not make."""
    try:
        cursor = msgspec.msgpack.decode(base64.b64decode(text, validate=True), type=Cursor)
    except (binascii.Error, msgspec.DecodeError) as error:
        raise ValueError("not a cursor") from error
    in_order = 0 <= cursor.base <= cursor.after <= cursor.head and 0 <= cursor.phase <= 2
    if not in_order:
        raise ValueError("not a cursor")
    return cursor
