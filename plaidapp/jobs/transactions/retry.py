"""Read rows again that were set aside, from the text that the bank sent, without asking it."""

from collections.abc import Iterator, Sequence

from plaidapp.bank.payloads import PlaidTransaction, Removed
from plaidapp.bank.rows import UnreadError, read_row
from plaidapp.bank.unread import TRANSACTION, Unread
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
        try:
            if row.kind == TRANSACTION:
                batch.added.append(row_of(read_row(row.raw, PlaidTransaction), 0))
                texts.append(row.raw)
            else:
                batch.removed.append(read_row(row.raw, Removed).transaction_id)
        except UnreadError as error:
            batch.unread.append(Unread(row.kind, row.plaid_id, row.raw, str(error)))
    batch.bodies.append(raw_pages.page_of(texts))
    return batch
