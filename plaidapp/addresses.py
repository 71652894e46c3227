"""Check addresses that a request names before a browser is sent there."""

from urllib.parse import urlsplit


def own_path(target: str | None) -> str | None:
    """Return `target` if it is a path on this site. "//" and "/\\" lead to another host."""
    if not target or not target.startswith("/") or target[1:2] in ("/", "\\"):
        return None
    if any(ord(char) < 32 for char in target):  # browsers drop them, and "/\t/" becomes "//"
        return None
    parts = urlsplit(target)
    return target if not parts.scheme and not parts.netloc else None
