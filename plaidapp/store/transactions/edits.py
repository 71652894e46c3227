"""What a person made of their transactions: category, note, hidden. Each edit can be undone.

An edit is one click, of one row or of 50,000, always a few statements over a set. What was there
before is kept beside it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Executable,
    ForeignKey,
    Select,
    Text,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, aliased, mapped_column

from plaidapp.extensions import Base, db

from ..base.search_terms import index_of
from ..base.types import BigId, Moment, now
from ..people import users
from . import monthly_totals
from .filters import Filter
from .ingest import Row
from .transactions import AT_ONCE, Transaction

MOST_ROWS = 100_000
LONGEST_NOTE = 500  # characters
RECENT = timedelta(days=1)
FIELDS = ("own_category", "note", "note_words", "hidden", "edited_at")
"""What of a row is the person's own."""


class TooManyRowsError(Exception):
    """An edit of more than MOST_ROWS rows."""


class Edit(Base):
    """One edit. It is undone when none of its rows is left."""

    __tablename__ = "edit"

    id: Mapped[BigId]
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    made_at: Mapped[datetime] = mapped_column(Moment, default=now)


class EditRow(Base):
    """A transaction as it was before an edit."""

    __tablename__ = "edit_row"

    edit_id: Mapped[int] = mapped_column(
        ForeignKey("edit.id", ondelete="CASCADE"), primary_key=True
    )
    transaction_id: Mapped[int] = mapped_column(
        ForeignKey("transaction.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    own_category: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    note_words: Mapped[str] = mapped_column(Text)
    hidden: Mapped[bool]
    edited_at: Mapped[datetime | None] = mapped_column(Moment)


class Applied(NamedTuple):
    """`edit` is None when every row was that way already."""

    edit: Edit | None
    rows: int


def owned(edit_id: int, user_id: int) -> Edit | None:
    return db.session.scalar(select(Edit).where(Edit.id == edit_id, Edit.user_id == user_id))


def last(user_id: int) -> Edit | None:
    """The person's latest edit of the last day that is not undone."""
    query = select(Edit).where(Edit.user_id == user_id, Edit.made_at > now() - RECENT)
    left = exists().where(EditRow.edit_id == Edit.id)
    return db.session.scalar(query.where(left).order_by(Edit.id.desc()).limit(1))


def of_ids(user_id: int, transaction_ids: Sequence[int]) -> list[ColumnElement[bool]]:
    """The conditions of these rows, as far as they are the person's."""
    return [*Filter(user_id, hidden="any").conditions(), Transaction.id.in_(transaction_ids)]


def apply(
    user_id: int, conditions: Sequence[ColumnElement[bool]], change: Mapping[str, Any]
) -> Applied:
    """Writes `change` on the rows that meet the conditions and are not that way already.

    It has any of own_category, note and hidden; None takes a category or a note away. Raises
    TooManyRowsError; roll back then.
    """
    values = dict(change)
    if "note" in values:
        values["note_words"] = index_of(user_id, values["note"])
    differs = or_(
        *(getattr(Transaction, name).is_distinct_from(value) for name, value in values.items())
    )
    monthly_totals.lock_for(select(Transaction.id).where(*conditions))
    edit = Edit(user_id=user_id)
    db.session.add(edit)
    db.session.flush()
    before = (getattr(Transaction, name) for name in FIELDS)
    rows = _count(
        insert(EditRow).from_select(
            ["edit_id", "transaction_id", *FIELDS],
            select(literal(edit.id), Transaction.id, *before)
            .where(*conditions, differs)
            .limit(MOST_ROWS + 1),
        )
    )
    if rows > MOST_ROWS:
        raise TooManyRowsError
    if not rows:
        db.session.delete(edit)
        db.session.flush()
        return Applied(None, 0)
    touched = select(EditRow.transaction_id).where(EditRow.edit_id == edit.id)
    _count(update(Transaction).where(Transaction.id.in_(touched)).values(**values, edited_at=now()))
    monthly_totals.refresh_for(touched)
    users.ledger_changed(user_id)
    return Applied(edit, rows)


def ids_of(edit: Edit, most: int) -> Sequence[int]:
    """Some of the rows that the edit can still be undone on."""
    query = select(EditRow.transaction_id).where(EditRow.edit_id == edit.id)
    return db.session.scalars(query.order_by(EditRow.transaction_id).limit(most)).all()


class Undone(NamedTuple):
    """Rows that are as they were before, and rows left alone, edited again since."""

    rows: int
    left: int


def undo(edit: Edit) -> Undone:
    """Puts back what was there before, on the rows that no later edit has touched."""
    later = aliased(EditRow)
    last = (
        EditRow.edit_id == edit.id,
        ~exists().where(
            later.transaction_id == EditRow.transaction_id, later.edit_id > EditRow.edit_id
        ),
    )
    touched = select(EditRow.transaction_id).where(*last)
    every = select(EditRow.transaction_id).where(EditRow.edit_id == edit.id)
    rows, all_rows = _shown(touched), _shown(every)
    monthly_totals.lock_for(touched)
    _count(
        update(Transaction)
        .where(Transaction.id == EditRow.transaction_id, *last)
        .values({name: getattr(EditRow, name) for name in FIELDS})
    )
    monthly_totals.refresh_for(touched)
    _count(delete(EditRow).where(*last))
    users.ledger_changed(edit.user_id)
    return Undone(rows, all_rows - rows)


def _shown(transaction_ids: Select[int]) -> int:
    query = select(func.count()).select_from(Transaction)
    query = query.where(Transaction.id.in_(transaction_ids), Transaction.removed_at.is_(None))
    return db.session.scalar(query) or 0


def carry(item_id: int, posted: Iterable[Row]) -> None:
    """Gives posted rows what the person had written on the pending rows they replace.

    Plaid gives a transaction a new id when it posts and names the old one:
    https://plaid.com/docs/transactions/transactions-data/#reconciling-transactions
    """
    replacing = [row.plaid_transaction_id for row in posted if row.pending_transaction_id]
    for start in range(0, len(replacing), AT_ONCE):
        _hand_over(
            Transaction.item_id == item_id,
            Transaction.plaid_transaction_id.in_(replacing[start : start + AT_ONCE]),
            PENDING.item_id == item_id,
            PENDING.plaid_transaction_id == Transaction.pending_transaction_id,
        )


def hand_over(pending_id: int, posted_id: int) -> None:
    """As `carry`, for a row that is known to be the other, posted to the same account."""
    _hand_over(
        Transaction.id == posted_id,
        PENDING.id == pending_id,
        PENDING.account_id == Transaction.account_id,
    )


PENDING = aliased(Transaction)


def _hand_over(*pairs: ColumnElement[bool]) -> None:
    """An undo of what was written reaches the posted row too."""
    here = *pairs, Transaction.edited_at.is_(None), PENDING.edited_at.is_not(None)
    again = aliased(EditRow)  # a repair may name the row once more
    known = exists().where(again.edit_id == EditRow.edit_id, again.transaction_id == Transaction.id)
    before = (getattr(EditRow, name) for name in FIELDS)
    rows = select(EditRow.edit_id, Transaction.id, *before)
    rows = rows.where(*here, EditRow.transaction_id == PENDING.id, ~known)
    _count(insert(EditRow).from_select(["edit_id", "transaction_id", *FIELDS], rows))
    written = {name: getattr(PENDING, name) for name in FIELDS}
    _count(update(Transaction).where(*here).values(written))


def _count(statement: Executable) -> int:
    """Runs a statement that writes; how many rows it wrote."""
    options = {"synchronize_session": False, "preserve_rowcount": True}
    result = db.session.execute(statement.execution_options(**options))
    return cast(CursorResult[Any], result).rowcount
