"""Read addresses that a request names or comes from."""

from ipaddress import IPv6Address, ip_address, ip_network
from urllib.parse import parse_qs, urlsplit


def own_path(target: str | None) -> str | None:
    """Return `target` if it is a path on this site, so that a browser may be sent there.

    "//" and "/\\" lead to another host.
    """
    if not target or not target.startswith("/") or target[1:2] in ("/", "\\"):
        return None
    if any(ord(char) < 32 for char in target):  # browsers drop them, and "/\t/" becomes "//"
        return None
    try:
        parts = urlsplit(target)
    except ValueError:
        return None
    return target if not parts.scheme and not parts.netloc else None


def network_of(address: str | None) -> str | None:
    """Return what tells a sender from others: an IPv4 address, or the first half of an IPv6 one.

    A single subscriber has all IPv6 addresses of such a network. A server that listens on both
    sees an IPv4 address within an IPv6 one. None if there is no address, as for a Unix socket.
    """
    try:
        known = ip_address(address or "")
    except ValueError:
        return None
    if isinstance(known, IPv6Address) and not known.ipv4_mapped:
        return str(ip_network((int(known), 64), strict=False))
    return str(getattr(known, "ipv4_mapped", None) or known)


def query_of(address: str) -> dict[str, list[str]]:
    """Return the query of an address; none if it can't be read."""
    try:
        return parse_qs(urlsplit(address).query)
    except ValueError:
        return {}
