"""Files that get their name when they are complete, and that only their owner can read."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written(file: Path) -> Iterator[Path]:
    """Yield the path of an empty file to write, which is then called `file`.

    Raises OSError if it can't be written, and FileExistsError if `file` exists.
    """
    if file.exists():
        raise FileExistsError
    handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    os.close(handle)
    partial = Path(name)
    try:
        yield partial
        with partial.open("rb") as complete:
            os.fsync(complete.fileno())
        partial.rename(file)
    finally:
        partial.unlink(missing_ok=True)
