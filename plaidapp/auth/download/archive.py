"""The ZIP file, made while it is sent: none of it is ever in memory as a whole."""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import msgspec
from zipstream import ZIP_DEFLATED, ZipStream

from plaidapp.store.base.row_values import plain

from .contents import FILES, lines_of, pages_of

FORMAT, VERSION = "plaidapp-download", 1
MANIFEST = "manifest.json"


def pieces(user_id: int, made_at: datetime) -> Iterator[bytes]:
    """Yield the file in pieces. It reads the database until it has yielded the last one."""
    archive = ZipStream(compress_type=ZIP_DEFLATED)
    manifest: list[dict[str, Any]] = []
    for table, name in FILES.items():
        lines = _Counted(lines_of(table, user_id))
        archive.add(lines, f"{name}.jsonl")
        yield from archive.all_files()
        manifest.append(lines.entry(f"{name}.jsonl") | {"rows": lines.pieces})
    for name, body in pages_of(user_id):
        page = _Counted([body])
        archive.add(page, name)
        yield from archive.all_files()
        manifest.append(page.entry(name))
    told = {"format": FORMAT, "version": VERSION, "made_at": plain(made_at), "files": manifest}
    archive.add(msgspec.json.format(msgspec.json.encode(told), indent=1), MANIFEST)
    yield from archive.finalize()


class _Counted:
    """The pieces of a file, and what the manifest says of it once they have been read."""

    def __init__(self, content: Iterable[bytes]) -> None:
        self._content = content
        self._digest = hashlib.sha256()
        self._size = 0
        self.pieces = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._content:
            self.pieces += 1
            self._size += len(piece)
            self._digest.update(piece)
            yield piece

    def entry(self, name: str) -> dict[str, Any]:
        return {"name": name, "bytes": self._size, "sha256": self._digest.hexdigest()}
