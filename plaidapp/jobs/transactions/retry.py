"""Read rows again that were set aside, from the text that the bank sent, without asking it."""

from collections.abc import Iterator, Sequence

from plaidapp.bank.json_text import decoded, encoded
from plaidapp.bank.payloads import PlaidTransaction, Removed
from plaidapp.bank.rows import ROWS, read_row, readable
from plaidapp.bank.unread import TRANSACTION
from plaidapp.store import SetAside
from plaidapp.store.transactions import raw_pages, set_aside
from plaidapp.store.transactions.ingest import row_of

from .batches import Batch


def batches(item_id: int) -> Iterator[Batch]:
    """Yield the rows that may be readable now, as if they came again on pages of their own.

    They are no longer set aside; each batch has to be stored before the next is taken.
    """
    while taken := set_aside.take(item_id):
        yield _batch(taken)


def _batch(taken: Sequence[SetAside]) -> Batch:
    batch = Batch()
    texts = []
    for row in taken:
        text = encoded(readable(ROWS[row.kind], decoded(row.raw), batch.unread))
        if text and row.kind == TRANSACTION:
            batch.added.append(row_of(read_row(text, PlaidTransaction), 0))
            texts.append(row.raw)
        elif text:
            batch.removed.append(read_row(text, Removed).transaction_id)
    batch.bodies.append(raw_pages.page_of(texts))
    return batch
