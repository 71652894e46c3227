"""Rows of the bank's answers that could not be stored: the text that was sent, and the reason.

A row that is set aside does not block its neighbors. It is tried again from its text, without
asking the bank, when the account it waits for is stored or when the app can read more than before
(jobs/transactions/retry.py).
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    delete,
    false,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp.bank.unread import READER, REMOVED, TRANSACTION, Unread
from plaidapp.extensions import Base, db

from ..base.types import BigId, Moment, now
from ..base.upsert import upsert
from ..base.writes import in_batches, write
from ..connections.accounts import Account
from ..connections.former_accounts import FormerAccount

LONGEST_TEXT = 100_000
"""Bytes of a row that are kept. Plaid's rows have one or two thousand."""
AT_ONCE = 500
"""Rows that are tried again together."""


class SetAside(Base):
    """`kind` is that of `Unread`, and `key` is Plaid's id, or a hash of the text of a row without.

    `raw` is the text, and `size` its length in bytes. Of a text that is longer than LONGEST_TEXT,
    `raw` has the beginning, and the row is not tried again. `reason`, `is_part` and `waits_for` are
    as in `Unread`, and `reader` is the version of the reader that tried last.
    """

    __tablename__ = "set_aside"
    __table_args__ = (UniqueConstraint("item_id", "kind", "key"),)

    id: Mapped[BigId]
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(16))
    key: Mapped[str] = mapped_column(Text)
    waits_for: Mapped[str | None] = mapped_column(Text)
    raw: Mapped[bytes] = mapped_column(LargeBinary)
    size: Mapped[int]
    reason: Mapped[str] = mapped_column(Text)
    is_part: Mapped[bool] = mapped_column(default=False, server_default=false())
    reader: Mapped[int]
    received_at: Mapped[datetime] = mapped_column(Moment, default=now)

    @property
    def plaid_id(self) -> str | None:
        return None if self.key.startswith(_HASH) else self.key

    @property
    def text(self) -> str:
        return self.raw.decode(errors="backslashreplace")

    @property
    def is_cut(self) -> bool:
        return self.size > len(self.raw)


TABLE = cast(Table, SetAside.__table__)
Keys = defaultdict[str, set[str]]
"""Keys of rows that are set aside, by their kind."""
_HASH = "sha256:"
_KEYS = select(TABLE.c.kind, TABLE.c.key).where(TABLE.c.item_id == bindparam("item_id"))


def key_of(row: Unread) -> str:
    return row.plaid_id or _HASH + hashlib.sha256(row.raw).hexdigest()


def keys(item_id: int) -> Keys:
    """Return the keys of everything that is set aside for the Item."""
    found: Keys = defaultdict(set)
    for kind, key in db.session.execute(_KEYS, {"item_id": item_id}):
        found[kind].add(key)
    return found


def add(item_id: int, rows: Iterable[Unread]) -> None:
    """Set rows aside. If a row comes twice, or is set aside already, the later one counts."""
    shared = {"item_id": item_id, "reader": READER}
    values = {
        (row.kind, key_of(row)): {
            **shared,
            "kind": row.kind,
            "key": key_of(row),
            "waits_for": row.waits_for,
            "raw": row.raw[:LONGEST_TEXT],
            "size": len(row.raw),
            "reason": row.reason,
            "is_part": row.is_part,
        }
        for row in rows
    }
    upsert(TABLE, ("item_id", "kind", "key"), list(values.values()))


def forget(item_id: int, kind: str, keys_of_kind: Collection[str]) -> None:
    """Delete rows that the bank has sent again, or has removed."""
    for part in in_batches(sorted(keys_of_kind)):
        write(
            delete(SetAside).where(
                SetAside.item_id == item_id, SetAside.kind == kind, SetAside.key.in_(part)
            )
        )


def replace(item_id: int, kind: str, stored: Collection[str], unread: Sequence[Unread]) -> None:
    """Set these rows aside instead of the `stored` ones of this kind."""
    forget(item_id, kind, set(stored) - {key_of(row) for row in unread})
    add(item_id, unread)


def delete_of_item(item_id: int) -> None:
    write(delete(SetAside).where(SetAside.item_id == item_id))


def _due(item_id: int) -> list[ColumnElement[bool]]:
    """Return the conditions of rows that may be readable now."""
    listed = select(Account.plaid_account_id).where(Account.item_id == item_id)
    departed = select(FormerAccount.plaid_account_id).where(FormerAccount.item_id == item_id)
    return [
        SetAside.item_id == item_id,
        SetAside.kind.in_((TRANSACTION, REMOVED)),
        SetAside.size <= LONGEST_TEXT,
        or_(
            SetAside.reader < READER,
            SetAside.waits_for.in_(listed),
            SetAside.waits_for.in_(departed),
        ),
    ]


def is_due(item_id: int) -> bool:
    """Return True if rows may be readable now."""
    return db.session.scalar(select(SetAside.id).where(*_due(item_id)).limit(1)) is not None


def take(item_id: int) -> Sequence[SetAside]:
    """Delete and return up to AT_ONCE rows that may be readable now, oldest first.

    The caller stores them, or sets them aside again.
    """
    query = select(SetAside).where(*_due(item_id)).order_by(SetAside.id).limit(AT_ONCE)
    rows = db.session.scalars(query).all()
    write(delete(SetAside).where(SetAside.id.in_([row.id for row in rows])))
    for row in rows:
        db.session.expunge(row)
    return rows


def count(item_id: int) -> Counter[tuple[str, bool]]:
    """Return how many rows are set aside, by `kind` and `is_part`."""
    query = select(SetAside.kind, SetAside.is_part, func.count())
    query = query.where(SetAside.item_id == item_id).group_by(SetAside.kind, SetAside.is_part)
    rows = db.session.execute(query)
    return Counter({(kind, is_part): number for kind, is_part, number in rows})


def first_with(item_ids: Sequence[int], kind: str) -> int | None:
    """Return the first Item that has sent rows of this kind that are stored in no part."""
    query = select(func.min(SetAside.item_id)).where(SetAside.item_id.in_(item_ids))
    return db.session.scalar(query.where(SetAside.kind == kind, ~SetAside.is_part))


def of_item(item_id: int, most: int | None = None) -> Sequence[SetAside]:
    """Return what is set aside, the newest first."""
    query = select(SetAside).where(SetAside.item_id == item_id)
    return db.session.scalars(query.order_by(SetAside.id.desc()).limit(most)).all()
