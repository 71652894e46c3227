"""Check addresses that a request names before a browser is sent there, and tell senders apart."""

from ipaddress import IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit


def own_path(target: str | None) -> str | None:
    """Return `target` if it is a path on this site. "//" and "/\\" lead to another host."""
    if not target or not target.startswith("/") or target[1:2] in ("/", "\\"):
        return None
    if any(ord(char) < 32 for char in target):  # browsers drop them, and "/\t/" becomes "//"
        return None
    parts = urlsplit(target)
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
