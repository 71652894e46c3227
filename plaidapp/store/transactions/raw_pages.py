"""Every page of transactions as the bank sent it, compressed, for people who want to see it.

Stored by page instead of by transaction: this takes a tenth of the space and almost no time.
"""

import contextlib
from collections.abc import Iterator, Sequence
from datetime import datetime

import brotli
import msgspec
from sqlalchemy import ColumnElement, ForeignKey, LargeBinary, delete, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp.bank import json_text
from plaidapp.extensions import Base, db

from ..base.types import BigId, Moment, now
from ..base.writes import write
from .transactions import Transaction

AT_ONCE = 20
"""Pages that are in memory at a time. Compressed, one has some 50 KB."""


class ReceivedPage(Base):
    """`body` is a response of /transactions/sync, as `compressed` returns it."""

    __tablename__ = "received_page"

    id: Mapped[BigId]
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id", ondelete="CASCADE"), index=True)
    received_at: Mapped[datetime] = mapped_column(Moment)
    body: Mapped[bytes] = mapped_column(LargeBinary)


class _Page(msgspec.Struct):
    added: list[msgspec.Raw]
    modified: list[msgspec.Raw]


class _Id(msgspec.Struct):
    transaction_id: str


def compressed(body: bytes) -> bytes:
    return bytes(brotli.compress(body, quality=1))  # less than a millisecond for 500 transactions


def page_of(texts: Sequence[bytes]) -> bytes:
    """Return rows that came without their page as a page, compressed."""
    return compressed(b'{"added":[%b],"modified":[]}' % b",".join(texts)) if texts else b""


def texts_of(compressed_body: bytes) -> dict[str, bytes]:
    """Return the rows of a page as the bank sent them, by Plaid's ids."""
    return {plaid_id: text for text in _texts(compressed_body) if (plaid_id := _id_of(text))}


def _texts(compressed_body: bytes) -> list[bytes]:
    body = brotli.decompress(compressed_body)
    try:
        page = msgspec.json.decode(body, type=_Page)
    except (msgspec.DecodeError, UnicodeDecodeError):  # of a text in one of its rows
        lists = json_text.members(json_text.decoded(body))
        rows = (json_text.elements(lists[name]) for name in ("added", "modified"))
        return [json_text.encoded(text) for texts in rows for text in texts]
    return [bytes(text) for text in (*page.added, *page.modified)]


def _id_of(text: bytes) -> str | None:
    """None for a row whose id could not be read."""
    try:
        return msgspec.json.decode(text, type=_Id).transaction_id
    except msgspec.DecodeError:  # perhaps of another text in the row
        pass
    try:
        sent = json_text.members(json_text.decoded(text)).get("transaction_id", "")
        return msgspec.json.decode(json_text.encoded(sent), type=str)
    except (msgspec.DecodeError, ValueError):
        return None


_SAVE = insert(ReceivedPage).returning(ReceivedPage.id, sort_by_parameter_order=True)


def save(item_id: int, compressed_bodies: Sequence[bytes]) -> list[int | None]:
    """Store pages. Return the id of each for its transactions to refer to, None for empty ones."""
    shared = {"item_id": item_id, "received_at": now()}
    pages = [{**shared, "body": body} for body in compressed_bodies if body]
    ids = iter(db.session.scalars(_SAVE, pages) if pages else ())
    return [next(ids) if body else None for body in compressed_bodies]


def bodies(condition: ColumnElement[bool]) -> Iterator[tuple[int, bytes]]:
    """Yield the ids of pages, and what the bank sent. The transaction stays open."""
    query = select(ReceivedPage.id, ReceivedPage.body).where(condition).order_by(ReceivedPage.id)
    for row in db.session.execute(query, execution_options={"yield_per": AT_ONCE}):
        yield row.id, brotli.decompress(row.body)


def delete_unused(item_id: int, most: int | None = None) -> int:
    """Delete the Item's pages that no transaction refers to anymore, and return their number."""
    used = select(Transaction.page_id).where(
        Transaction.item_id == item_id, Transaction.page_id.is_not(None)
    )
    is_unused = ReceivedPage.item_id == item_id, ReceivedPage.id.not_in(used)
    unused = select(ReceivedPage.id).where(*is_unused).limit(most)
    return write(delete(ReceivedPage).where(ReceivedPage.id.in_(unused)))


def json_of(row: Transaction) -> str | None:
    """Return the transaction as the bank last sent it, indented, with the digits as they came.

    It is not indented if a text in it can't be read. None for a transaction from before pages were
    stored.
    """
    body = db.session.scalar(select(ReceivedPage.body).where(ReceivedPage.id == row.page_id))
    if body is None:
        return None
    text = texts_of(body).get(row.plaid_transaction_id)
    if text is None:
        return None
    with contextlib.suppress(msgspec.DecodeError):
        text = msgspec.json.format(text, indent=2)
    return text.decode(errors="backslashreplace")
