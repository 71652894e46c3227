"""Ids and tokens that look like Plaid's and follow from the seed and the order of creation."""

import hashlib
import random
import string
import uuid

_ALPHABET = (string.ascii_letters + string.digits).encode()
# Translates a digest's bytes at once: 200,000 ids are made when a large history is linked.
_TO_ALPHABET = bytes(_ALPHABET[byte % len(_ALPHABET)] for byte in range(256))


class Ids:
    """The ids of one world. Equal parts give equal ids; nothing is remembered."""

    def __init__(self, seed: int) -> None:
        self._seed = hashlib.sha512(f"plaid-sandbox:{seed}".encode())

    def opaque(self, *parts: object) -> str:
        """37 letters and digits, as Plaid names Items, accounts and transactions."""
        return self._digest(parts)[:37].translate(_TO_ALPHABET).decode()

    def token(self, kind: str, *parts: object) -> str:
        """`<kind>-sandbox-<uuid>`, as Plaid's access, public and link tokens are."""
        return f"{kind}-sandbox-{uuid.UUID(bytes=self._digest((kind, *parts))[:16], version=4)}"

    def _digest(self, parts: tuple[object, ...]) -> bytes:
        digest = self._seed.copy()
        digest.update("\0".join(map(str, parts)).encode())
        return digest.digest()


def request_id() -> str:
    """15 letters and digits, new for each answer."""
    return "".join(random.choices(string.ascii_letters + string.digits, k=15))
