"""Under which ids other Items named a row.

Two Items name the same transaction differently. After a reconnect or a merge, the row has the id of
the Item that its account is read from; the others are kept here. So an Item that takes over finds
its rows again, and accounts that turn out to be different can be separated.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import BigInteger, ColumnElement, ForeignKey, Table, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp.extensions import Base, db

from ..base.types import Moment
from ..base.upsert import insert_missing
from ..base.writes import in_batches
from .transactions import Transaction


class FormerRow(Base):
    """Plaid's id of a row at an Item that named it too.

    If the row was merged with one that was stored under this id, the other columns have what
    differed on that one: the page it came in, its first id, and the person's edits.
    """

    __tablename__ = "former_row"

    item_id: Mapped[int] = mapped_column(primary_key=True)
    plaid_transaction_id: Mapped[str] = mapped_column(Text, primary_key=True)
    transaction_id: Mapped[int] = mapped_column(
        ForeignKey("transaction.id", ondelete="CASCADE"), index=True
    )
    page_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    first_id: Mapped[str | None] = mapped_column(Text)
    own_category: Mapped[str | None] = mapped_column(Text)
    own_detailed: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    note_pairs: Mapped[str | None] = mapped_column(Text)
    hidden: Mapped[bool | None]
    not_transfer: Mapped[bool | None]
    edited_at: Mapped[datetime | None] = mapped_column(Moment)


TABLE = cast(Table, FormerRow.__table__)
NAME = ("item_id", "plaid_transaction_id", "transaction_id", "page_id")


def remember(transaction_ids: Sequence[int]) -> None:
    """Keep the present ids of these rows, before they change."""
    for ids in in_batches(transaction_ids):
        remember_where(Transaction.id.in_(ids))


def remember_where(*conditions: ColumnElement[bool]) -> None:
    names = select(
        Transaction.item_id, Transaction.plaid_transaction_id, Transaction.id, Transaction.page_id
    )
    insert_missing(TABLE, NAME, names.where(*conditions))


def ids_of(item_id: int, plaid_ids: Sequence[str]) -> dict[str, int]:
    """Return our ids of the rows that this Item named before under these ids of Plaid's."""
    query = select(FormerRow.plaid_transaction_id, FormerRow.transaction_id).where(
        FormerRow.item_id == item_id, FormerRow.plaid_transaction_id.in_(plaid_ids)
    )
    return {plaid_id: row_id for plaid_id, row_id in db.session.execute(query)}  # noqa: C416
