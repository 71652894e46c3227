"""Checks MAIL_URL and MAIL_FROM: which mail server sends, and in whose name."""

from email.headerregistry import Address
from email.utils import getaddresses
from urllib.parse import urlsplit

TERMINAL = "terminal:"
"""MAIL_URL under `make run`: mails are printed."""


def problem_with_url(text: str) -> str | None:
    if text == TERMINAL:
        return None
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("smtp", "smtps") and bool(parts.hostname) and parts.port != 0
        good = good and not any(char.isspace() for char in text)
        rest = parts.path.strip("/") or parts.query or parts.fragment
    except ValueError:
        good, rest = False, ""
    if not good or rest:
        return "is not the address of a mail server"
    if bool(parts.username) != bool(parts.password):
        return "has a user name or a password, but not both"
    return None


def problem_with_sender(text: str) -> str | None:
    try:
        ((name, address),) = getaddresses([text])
        parsed = Address(display_name=name, addr_spec=address)
        good = text.isprintable() and address.isascii() and bool(parsed.username and parsed.domain)
    except (ValueError, IndexError):  # email.errors.HeaderParseError is a ValueError
        good = False
    return None if good else "is not an email address"
