"""Logos of the test banks: a woven pattern in the bank's color. Real banks have none here."""

import base64
import functools
import struct
import zlib

SIDE = 152
"""Pixels, as Plaid's have."""


@functools.cache
def logo(name: str, color: str) -> str:
    """Return a PNG file in Base64. It is always the same for the same bank."""
    stripe = 12 + zlib.crc32(name.encode()) % 20
    base = bytes.fromhex(color.removeprefix("#"))
    tones = [bytes(255 - (255 - part) * share // 4 for part in base) for share in (1, 2, 4)]
    rows = [
        b"".join(tones[x // stripe % 2 + y // stripe % 2] for x in range(SIDE)) for y in range(SIDE)
    ]
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)  # 8 bits of red, green and blue
    chunks = _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + chunks).decode()


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)
