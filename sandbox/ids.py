"""Ids and tokens in Plaid's format, determined by the seed and the order of creation."""

import hashlib
import random
import string
import uuid

_ALPHABET = (string.ascii_letters + string.digits).encode()
# One translate call per id is fast: linking a large history creates 200,000 ids.
_TO_ALPHABET = bytes(_ALPHABET[byte % len(_ALPHABET)] for byte in range(256))


class Ids:
    """Create the ids of one seed. Equal parts give equal ids; no state is kept."""

    def __init__(self, seed: int) -> None:
        self._seed = hashlib.sha512(f"plaid-sandbox:{seed}".encode())

    def opaque(self, *parts: object) -> str:
        """Return 37 letters and digits, like Plaid's Item, account and transaction ids."""
        return self._digest(parts)[:37].translate(_TO_ALPHABET).decode()

    def token(self, kind: str, *parts: object) -> str:
        """Return `<kind>-sandbox-<uuid>`, like Plaid's access, public and link tokens."""
        return f"{kind}-sandbox-{self.uuid(kind, *parts)}"

    def uuid(self, *parts: object) -> str:
        """Return a UUID, like the ids of Plaid's Link sessions and their events."""
        return str(uuid.UUID(bytes=self._digest(parts)[:16], version=4))

    def _digest(self, parts: tuple[object, ...]) -> bytes:
        digest = self._seed.copy()
        digest.update("\0".join(map(str, parts)).encode())
        return digest.digest()


def request_id() -> str:
    """Return 15 random letters and digits, new for each response."""
    return "".join(random.choices(string.ascii_letters + string.digits, k=15))
