"""Fill in what the search needs of rows from before `pairs` existed.

Once no database has such rows anymore, a release can drop this module and what it left: the index
ix_transaction_unfilled, and the columns `words` and `note_words` that only older code uses.
"""

from typing import cast

from sqlalchemy import Table, bindparam, select, update

from plaidapp.extensions import db

from ..base.search_terms import pairs_of, sort_key
from .transactions import UNFILLED, Transaction

_TABLE = cast(Table, Transaction.__table__)
_FILL = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("row"))
    .values({name: bindparam(f"new_{name}") for name in ("pairs", "note_pairs", "title_key")})
)


def fill(most: int) -> int:
    """Fill in up to `most` rows that no other transaction is changing. Return their number."""
    columns = Transaction.id, Transaction.name, Transaction.merchant_name, Transaction.note
    query = select(*columns).where(UNFILLED).order_by(Transaction.id).limit(most)
    rows = db.session.execute(query.with_for_update(skip_locked=True)).all()
    if rows:
        filled = [
            {
                "row": row_id,
                "new_pairs": pairs_of(merchant, name),
                "new_note_pairs": pairs_of(note),
                "new_title_key": sort_key(merchant or name),
            }
            for row_id, name, merchant, note in rows
        ]
        db.session.connection().execute(_FILL, filled)
    return len(rows)
