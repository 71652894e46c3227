"""Store transactions for a test in the same way as a sync does."""

from collections.abc import Iterable, Mapping

from plaidapp.bank import payloads
from plaidapp.store.transactions import ingest


def rows_of(sent: Iterable[payloads.PlaidTransaction]) -> list[ingest.Row]:
    return [ingest.row_of(transaction, 0) for transaction in sent]


def save(
    user_id: int,
    item_id: int,
    account_ids: Mapping[str, int],
    sent: Iterable[payloads.PlaidTransaction],
) -> None:
    rows = rows_of(sent)
    ingest.save(user_id, item_id, account_ids, [None], rows, from_start=False, new=False)
