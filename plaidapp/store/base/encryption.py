"""Encrypted values: access tokens, and parameters that only a job may read.

The Fernet keys come from TOKEN_KEYS. The first key encrypts and all keys decrypt, so that keys can
be rotated.
"""

from collections.abc import Mapping, Sequence

import msgspec
from cryptography.fernet import Fernet, MultiFernet


def cipher_for(keys: Sequence[str]) -> MultiFernet:
    """Return the cipher that the app keeps as `app.extensions["cipher"]`."""
    return MultiFernet([Fernet(key) for key in keys])


def seal(cipher: MultiFernet, values: Mapping[str, str]) -> bytes:
    return cipher.encrypt(msgspec.json.encode(values))


def unseal(cipher: MultiFernet, sealed: bytes) -> dict[str, str]:
    """Raises cryptography.fernet.InvalidToken if no key fits."""
    return msgspec.json.decode(cipher.decrypt(sealed), type=dict[str, str])
