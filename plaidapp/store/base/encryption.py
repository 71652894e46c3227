"""What is kept encrypted: access tokens, and the parameters only a job may read.

Fernet keys come from TOKEN_KEYS: the first encrypts, all decrypt, so a key can be rotated.
"""

from collections.abc import Mapping, Sequence

import msgspec
from cryptography.fernet import Fernet, MultiFernet
from flask import current_app


def cipher_for(keys: Sequence[str]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def seal(values: Mapping[str, str]) -> bytes:
    cipher: MultiFernet = current_app.extensions["cipher"]
    return cipher.encrypt(msgspec.json.encode(values))


def unseal(sealed: bytes) -> dict[str, str]:
    """Raises cryptography.fernet.InvalidToken when the key is gone."""
    cipher: MultiFernet = current_app.extensions["cipher"]
    return msgspec.json.decode(cipher.decrypt(sealed), type=dict[str, str])
