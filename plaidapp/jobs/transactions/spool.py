"""Hold the pages of one update until all of them have arrived."""

import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import msgspec

from plaidapp.bank.unread import TRANSACTION, Unread
from plaidapp.store.transactions.ingest import Row

IN_MEMORY = 2 * 1024 * 1024


class Page(msgspec.Struct, frozen=True, array_like=True):
    """What a page changes, ready for the database. `body` is the compressed page as it came.

    `unread` has what could not be read of it, except for accounts.
    """

    added: list[Row]
    modified: list[Row]
    removed: list[str]
    body: bytes
    unread: list[Unread] = []

    def ids(self) -> set[str]:
        """Return Plaid's ids of the transactions that the page names."""
        named = {row.plaid_transaction_id for row in (*self.added, *self.modified)}
        named.update(
            row.plaid_id for row in self.unread if row.kind == TRANSACTION and row.plaid_id
        )
        return named.union(self.removed)


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Page).decode


class Spool:
    """Pages in the order they arrived; on disk once they are larger than `IN_MEMORY` bytes."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 see __exit__
        self._lengths: list[int] = []

    def append(self, page: Page) -> None:
        self._lengths.append(self._file.write(_encode(page)))

    def clear(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        self._lengths.clear()

    def __iter__(self) -> Iterator[Page]:
        self._file.seek(0)
        return (_decode(self._file.read(length)) for length in self._lengths)

    def __len__(self) -> int:
        return len(self._lengths)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()
