"""Redact texts of Plaid's that older releases have stored as they came.

Once no database has rows in `old_text` anymore, a release can drop this module and the table.
"""

from sqlalchemy import BigInteger, String, select, update
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp.bank.error_sentences import UNKNOWN
from plaidapp.extensions import Base, db
from plaidapp.redaction import redact, redact_json

from .types import BigId
from .writes import write

BODY = "body"
"""The column of a webhook as Plaid sent it. Other columns have sentences for a person."""


class OldText(Base):
    """A column that is still to be looked through. It is clean up to the row with id `clean_to`."""

    __tablename__ = "old_text"

    id: Mapped[BigId]
    of_table: Mapped[str] = mapped_column(String(32))
    of_column: Mapped[str] = mapped_column(String(32))
    clean_to: Mapped[int] = mapped_column(BigInteger)


def clean(most: int) -> None:
    """Look through the next rows of a column, `most` at most."""
    query = select(OldText).order_by(OldText.id).limit(1)
    place = db.session.scalar(query.with_for_update(skip_locked=True))
    if place is None:
        return
    table = Base.metadata.tables[place.of_table]
    column = table.c[place.of_column]
    rows = select(table.c.id, column).where(table.c.id > place.clean_to)
    found = db.session.execute(rows.order_by(table.c.id).limit(most)).all()
    for row_id, text in found:
        if text and (cleaned := _cleaned(text, column.name)) != text:
            unchanged = table.c.id == row_id, column == text
            write(update(table).where(*unchanged).values({column: cleaned}))
    if found:
        place.clean_to = found[-1].id
    else:
        db.session.delete(place)


def _cleaned(text: str, column: str) -> str:
    if column == BODY:
        return redact_json(text)
    return text if redact(text) == text else UNKNOWN.sentence
