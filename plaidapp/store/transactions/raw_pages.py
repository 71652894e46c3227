"""Every page of transactions as the bank sent it, compressed, for whoever wants to see it.

Kept by the page and not by the transaction: that costs a tenth of the room, and next to no time.
"""

from collections.abc import Sequence
from datetime import datetime

import brotli
import msgspec
from sqlalchemy import ForeignKey, LargeBinary, delete, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp.extensions import Base, db

from ..base.types import BigId, Moment, now
from .transactions import Transaction


class ReceivedPage(Base):
    """`body` is an answer of /transactions/sync, as `packed` gave it."""

    __tablename__ = "received_page"

    id: Mapped[BigId]
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id", ondelete="CASCADE"), index=True)
    received_at: Mapped[datetime] = mapped_column(Moment)
    body: Mapped[bytes] = mapped_column(LargeBinary)


class _Name(msgspec.Struct):
    transaction_id: str


class _Page(msgspec.Struct):
    added: list[msgspec.Raw]
    modified: list[msgspec.Raw]


def packed(body: bytes) -> bytes:
    return bytes(brotli.compress(body, quality=1))  # less than a millisecond for 500 transactions


_KEEP = insert(ReceivedPage).returning(ReceivedPage.id, sort_by_parameter_order=True)


def keep(item_id: int, packed_bodies: Sequence[bytes]) -> list[int | None]:
    """Returns the id of each page, for its transactions to point at; None for one that is empty."""
    same = {"item_id": item_id, "received_at": now()}
    pages = [{**same, "body": body} for body in packed_bodies if body]
    ids = iter(db.session.scalars(_KEEP, pages) if pages else ())
    return [next(ids) if body else None for body in packed_bodies]


def forget_unused(item_id: int) -> None:
    """Drops pages that the Item was read from before and that no transaction points at any more."""
    used = select(Transaction.page_id).where(
        Transaction.item_id == item_id, Transaction.page_id.is_not(None)
    )
    unused = (ReceivedPage.item_id == item_id) & ReceivedPage.id.not_in(used)
    db.session.execute(
        delete(ReceivedPage).where(unused).execution_options(synchronize_session=False)
    )


def json_of(row: Transaction) -> str | None:
    """The transaction as the bank last sent it, indented, its numbers digit by digit.

    None for one that is older than the keeping of pages.
    """
    body = db.session.scalar(select(ReceivedPage.body).where(ReceivedPage.id == row.page_id))
    if body is None:
        return None
    page = msgspec.json.decode(brotli.decompress(body), type=_Page)
    for sent in (*page.modified, *page.added):
        if msgspec.json.decode(sent, type=_Name).transaction_id == row.plaid_transaction_id:
            return msgspec.json.format(bytes(sent), indent=2).decode()
    return None
