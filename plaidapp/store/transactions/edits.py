"""A person's edits of transactions: category, note, hidden, and that a row is no transfer. Each
edit can be undone.

An edit is one click. It changes one row or 50,000, always with a few statements over a set of rows.
The values from before the edit are stored with it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Select,
    Text,
    bindparam,
    delete,
    exists,
    false,
    func,
    insert,
    literal,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.orm import Mapped, aliased, mapped_column

from plaidapp.extensions import Base, db

from ..base.dates import month_of
from ..base.search_terms import pairs_of
from ..base.sums import units_of
from ..base.types import BigId, Moment, now
from ..base.writes import write
from ..connections import disconnection
from ..people import users
from . import category_tree, monthly_refresh, transfers
from .filters import Filter
from .transactions import Transaction

MOST_ROWS = 100_000
LONGEST_NOTE = 500  # characters
RECENT = timedelta(days=1)
FIELDS = (
    "own_category",
    "own_detailed",
    "note",
    "note_pairs",
    "hidden",
    "not_transfer",
    "edited_at",
)
"""The columns of a row that the person edits."""


class TooManyRowsError(Exception):
    """The edit would change more than MOST_ROWS rows."""


class Edit(Base):
    """One edit. It is undone once it has no rows left."""

    __tablename__ = "edit"

    id: Mapped[BigId]
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    made_at: Mapped[datetime] = mapped_column(Moment, default=now)


class EditRow(Base):
    """The edited columns of a transaction, as they were before an edit."""

    __tablename__ = "edit_row"

    edit_id: Mapped[int] = mapped_column(
        ForeignKey("edit.id", ondelete="CASCADE"), primary_key=True
    )
    transaction_id: Mapped[int] = mapped_column(
        ForeignKey("transaction.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    own_category: Mapped[str | None] = mapped_column(Text)
    own_detailed: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    note_pairs: Mapped[str | None] = mapped_column(Text)
    hidden: Mapped[bool]
    not_transfer: Mapped[bool] = mapped_column(server_default=false())
    edited_at: Mapped[datetime | None] = mapped_column(Moment)


class Applied(NamedTuple):
    """`edit` is None if every row already had the new values.

    `read_only` is how many rows stay as they are because the person disconnected their bank.
    """

    edit: Edit | None
    rows: int
    read_only: int = 0


def owned(edit_id: int, user_id: int) -> Edit | None:
    return db.session.scalar(select(Edit).where(Edit.id == edit_id, Edit.user_id == user_id))


def last(user_id: int) -> Edit | None:
    """Return the person's latest edit of the last 24 hours that is not undone."""
    return db.session.scalar(_LAST, {"user_id": user_id, "since": now() - RECENT})


_LAST = (  # made once, for every page of the explorer
    select(Edit)
    .where(
        Edit.user_id == bindparam("user_id"),
        Edit.made_at > bindparam("since", type_=Moment),
        exists().where(EditRow.edit_id == Edit.id),
    )
    .order_by(Edit.id.desc())
    .limit(1)
)


def of_ids(user_id: int, transaction_ids: Sequence[int]) -> list[ColumnElement[bool]]:
    """Return the conditions for these rows, leaving out other people's."""
    return [*Filter(user_id, hidden="any").conditions(), Transaction.id.in_(transaction_ids)]


def apply(
    user_id: int, conditions: Sequence[ColumnElement[bool]], change: Mapping[str, Any]
) -> Applied:
    """Change the rows that meet the conditions and do not have the new values already.

    `change` has any of own_category, note, hidden and not_transfer. The category is a code of
    either level. None deletes a category or a note. Rows of banks that the person disconnected stay
    as they are. Raises TooManyRowsError, after which the caller rolls back.
    """
    values = dict(change)
    if "own_category" in values:
        values |= category_tree.chosen(values["own_category"])
    if "note" in values:
        values["note_pairs"] = pairs_of(values["note"])
    differs = or_(
        *(getattr(Transaction, name).is_distinct_from(value) for name, value in values.items())
    )
    users.lock_ledger(user_id)
    account_ids = disconnection.read_only_accounts(user_id)
    is_read_only = Transaction.account_id.in_(account_ids) if account_ids else false()
    read_only = _count(*conditions, differs, is_read_only) if account_ids else 0
    edit = Edit(user_id=user_id)
    db.session.add(edit)
    db.session.flush()
    before = (getattr(Transaction, name) for name in FIELDS)
    rows = write(
        insert(EditRow).from_select(
            ["edit_id", "transaction_id", *FIELDS],
            select(literal(edit.id), Transaction.id, *before)
            .where(*conditions, differs, ~is_read_only)
            .limit(MOST_ROWS + 1),
        )
    )
    if rows > MOST_ROWS:
        raise TooManyRowsError
    if not rows:
        db.session.delete(edit)
        db.session.flush()
        return Applied(None, 0, read_only)
    changed = select(EditRow.transaction_id).where(EditRow.edit_id == edit.id)
    write(update(Transaction).where(Transaction.id.in_(changed)).values(**values, edited_at=now()))
    if "not_transfer" in change:
        _match_again(user_id, changed)
    monthly_refresh.refresh_for(changed)
    users.ledger_changed(user_id)
    return Applied(edit, rows, read_only)


def ids_of(edit: Edit, most: int) -> Sequence[int]:
    """Return ids of up to `most` rows on which the edit can still be undone."""
    query = select(EditRow.transaction_id).where(EditRow.edit_id == edit.id)
    return db.session.scalars(query.order_by(EditRow.transaction_id).limit(most)).all()


class Undone(NamedTuple):
    """`rows` have their former values again. `skipped` were edited again since and stay, and so do
    `read_only`, whose bank the person disconnected."""

    rows: int
    skipped: int
    read_only: int


def undo(edit: Edit) -> Undone:
    """Restore the former values of the rows that no later edit has changed."""
    users.lock_ledger(edit.user_id)
    later, fixed = aliased(EditRow), aliased(Transaction)
    account_ids = disconnection.read_only_accounts(edit.user_id)
    is_read_only = exists().where(
        fixed.id == EditRow.transaction_id, fixed.account_id.in_(account_ids)
    )
    is_last = (
        EditRow.edit_id == edit.id,
        ~is_read_only if account_ids else true(),
        ~exists().where(
            later.transaction_id == EditRow.transaction_id, later.edit_id > EditRow.edit_id
        ),
    )
    restored = select(EditRow.transaction_id).where(*is_last)
    every = select(EditRow.transaction_id).where(EditRow.edit_id == edit.id)
    rows, all_rows = _count_shown(restored), _count_shown(every)
    read_only = _count_shown(every, Transaction.account_id.in_(account_ids)) if account_ids else 0
    differs = Transaction.not_transfer != EditRow.not_transfer
    separated = db.session.scalars(
        restored.join(Transaction, Transaction.id == EditRow.transaction_id).where(differs)
    ).all()
    write(
        update(Transaction)
        .where(Transaction.id == EditRow.transaction_id, *is_last)
        .values({name: getattr(EditRow, name) for name in FIELDS})
    )
    _match_again(edit.user_id, separated)
    monthly_refresh.refresh_for(restored)
    write(delete(EditRow).where(*is_last))
    users.ledger_changed(edit.user_id)
    return Undone(rows, all_rows - rows - read_only, read_only)


def _match_again(user_id: int, transaction_ids: monthly_refresh.RowIds) -> None:
    """Match transfers again after an edit of `not_transfer`, and add up their months."""
    sides = select(Transaction.date, units_of(Transaction.size))
    rows = db.session.execute(sides.where(Transaction.id.in_(transaction_ids))).all()
    days = transfers.match(user_id, {row[0] for row in rows}, {row[1] for row in rows})
    monthly_refresh.refresh({(account_id, month_of(day)) for account_id, day in days})


def _count_shown(transaction_ids: Select[int], *conditions: ColumnElement[bool]) -> int:
    return _count(
        Transaction.id.in_(transaction_ids), Transaction.removed_at.is_(None), *conditions
    )


def _count(*conditions: ColumnElement[bool]) -> int:
    query = select(func.count()).select_from(Transaction).where(*conditions)
    return db.session.scalar(query) or 0
