"""Fetch a merchant's logo from the hosts where Plaid has them, and from nowhere else.

The address comes with a transaction. Nothing is sent along: no key, no cookie, nobody's name.
https://plaid.com/docs/api/products/transactions/#transactions-sync-response-added-logo-url
"""

import socket
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError, NewConnectionError

from plaidapp import policy

from .transport import BoundedPool, SecureConnection

HOSTS = {"plaid-merchant-logos.plaid.com", "plaid-counterparty-logos.plaid.com"}
ANSWER = {"Accept": "image/png, image/webp, image/jpeg", "User-Agent": "plaidapp"}


class LogoError(Exception):
    """There is no logo at this address now."""


class UnreachableError(LogoError):
    """The host does not answer, so there is no use in asking it for others now."""


def is_allowed(url: str) -> bool:
    """Is this an address on one of HOSTS, by https and without anything unusual?"""
    if not url.isascii() or any(sign in url for sign in "\\ \t\r\n\0"):
        return False
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    plain = port is None and "@" not in parts.netloc
    return plain and parts.scheme == "https" and parts.netloc in HOSTS


class _PublicConnection(SecureConnection):
    """A connection that is not made to an address of the host's own network."""

    def _new_conn(self) -> socket.socket:
        sock = super()._new_conn()
        peer = sock.getpeername()[0]
        if not ip_address(peer.partition("%")[0]).is_global:
            sock.close()
            raise NewConnectionError(self, "the address is private")
        return sock


class _PublicPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _PublicConnection


def public_pool() -> BoundedPool:
    pool = BoundedPool(policy.LOGO_DEADLINE, largest=policy.LARGEST_LOGO, maxsize=2)
    pool.pool_classes_by_scheme = {"https": _PublicPool}
    return pool


def fetch(url: str, pool: Any) -> bytes:
    """Return the file. It is not known yet whether it is a picture. Raises LogoError."""
    if not is_allowed(url):
        raise LogoError("the address is not one of Plaid's")
    try:
        answer = pool.request("GET", url, headers=ANSWER)
    except (NewConnectionError, urllib3.exceptions.ConnectTimeoutError) as error:
        raise UnreachableError(type(error).__name__) from None
    except (HTTPError, OSError) as error:
        raise LogoError(type(error).__name__) from None
    if answer.status != 200:
        raise LogoError(f"status {answer.status}")
    return bytes(answer.data)
