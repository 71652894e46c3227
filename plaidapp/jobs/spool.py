"""Where the pages of one update wait until all of them are there."""

import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import Self

IN_MEMORY = 8 * 1024 * 1024


class Spool:
    """Pages as they came, in order; on disk once they outgrow `IN_MEMORY` bytes."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 see __exit__
        self._lengths: list[int] = []

    def append(self, page: bytes) -> None:
        self._file.write(page)
        self._lengths.append(len(page))

    def clear(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        self._lengths.clear()

    def __iter__(self) -> Iterator[bytes]:
        self._file.seek(0)
        return (self._file.read(length) for length in self._lengths)

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
