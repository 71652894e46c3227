"""Pages of an update that are stored together."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from plaidapp.bank.unread import Unread
from plaidapp.store.transactions.ingest import Row

from .spool import Page

BATCH_ROWS = 5_000
"""Rows in one statement: enough to make its cost small per row, few enough for memory."""


@dataclass
class Batch:
    """`bodies` are the compressed pages as the bank sent them. `unread` is as in `Page`."""

    added: list[Row] = field(default_factory=list)
    modified: list[Row] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)


def batches(pages: Iterable[Page]) -> Iterator[Batch]:
    """Yield the pages in batches of up to BATCH_ROWS rows, in which no transaction occurs twice.

    A page that names a transaction again begins a new batch, so that its changes come later.
    """
    batch, named = Batch(), set[str]()
    for page in pages:
        ids = page.ids()
        if named and (len(named) + len(ids) > BATCH_ROWS or not named.isdisjoint(ids)):
            yield batch
            batch, named = Batch(), set()
        batch.added += page.added
        batch.modified += page.modified
        batch.removed += page.removed
        batch.bodies.append(page.body)
        batch.unread += page.unread
        named |= ids
    yield batch
