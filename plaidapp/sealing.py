"""Encrypt secrets, each for one place, so that it can't be read in any other place.

The Fernet keys come from TOKEN_KEYS. The first key encrypts and all keys decrypt, so that keys can
be rotated. A place is a purpose, a person and a name, such as the access token of one Item. Each
place has a key of its own, derived from the configured one (HKDF, RFC 5869). Somebody who can write
to the database but has no key thus gains nothing by moving a ciphertext to a row of their own.
"""

import base64
from collections.abc import Sequence
from typing import NamedTuple

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

BOUND = b"bound:"
"""How a ciphertext begins that is encrypted for a place. Before, secrets had none: Fernet's own
tokens begin with another letter."""


class Sealed(NamedTuple):
    """An encrypted text, and the place that it is stored in."""

    place: str
    value: bytes


def access_token(user_id: int, plaid_item_id: str) -> str:
    """Return the place of an Item's access token."""
    return f"access token {user_id} {plaid_item_id}"


def public_token(user_id: int, token_hash: str) -> str:
    """Return the place of a public token that is to be exchanged."""
    return f"public token {user_id} {token_hash}"


def link_token(user_id: int, token_hash: str) -> str:
    """Return the place of a link token."""
    return f"link token {user_id} {token_hash}"


def link_address(user_id: int, token_hash: str) -> str:
    """Return the place of the address that a link token leads to."""
    return f"link address {user_id} {token_hash}"


def authenticator_secret(user_id: int) -> str:
    """Return the place of the secret that a person's authenticator app shares with us."""
    return f"authenticator secret {user_id}"


def offered_secret(user_id: int) -> str:
    """Return the place of such a secret that is not in use yet."""
    return f"offered secret {user_id}"


def calendar_token(user_id: int, token_hash: str) -> str:
    """Return the place of the token in the address of a person's calendar."""
    return f"calendar token {user_id} {token_hash}"


def pull_parameters(user_id: int, institution_id: str | None) -> str:
    """Return the place of what the job of a pull sends to this bank."""
    return f"pull parameters {user_id} {institution_id}"


def mail(_user_id: int | None, message_id: str) -> str:
    """Return the place of what a mail says. Whose it is may turn out only when it is sent."""
    return f"mail {message_id}"


class Cipher:
    """Encrypts and decrypts with the keys of TOKEN_KEYS."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = [base64.urlsafe_b64decode(key) for key in keys]
        self._unbound = MultiFernet([Fernet(key) for key in keys])

    def encrypt(self, place: str, text: str) -> bytes:
        return BOUND + _fernet(self._keys[0], place).encrypt(text.encode())

    def decrypt(self, sealed: Sealed) -> str:
        """Raises InvalidToken if no key fits, or if it was encrypted for another place.

        A secret from before places existed is read wherever it is.
        """
        if not self.is_bound(sealed):
            return self._unbound.decrypt(sealed.value).decode()
        fernets = MultiFernet([_fernet(key, sealed.place) for key in self._keys])
        return fernets.decrypt(sealed.value.removeprefix(BOUND)).decode()

    def is_bound(self, sealed: Sealed) -> bool:
        return sealed.value.startswith(BOUND)

    def has_first_key(self, sealed: Sealed) -> bool:
        """Return True if it is encrypted for its place, and with the first key."""
        try:
            _fernet(self._keys[0], sealed.place).decrypt(sealed.value.removeprefix(BOUND))
        except InvalidToken:
            return False
        return self.is_bound(sealed)


def _fernet(key: bytes, place: str) -> Fernet:
    derived = HKDF(SHA256(), length=32, salt=None, info=place.encode()).derive(key)
    return Fernet(base64.urlsafe_b64encode(derived))
