"""What only the job of a pull may read, such as a test user's password: for one person and bank."""

from collections.abc import Mapping

import msgspec

from plaidapp import sealing
from plaidapp.sealing import Cipher, Sealed

from .pulls import Pull


def seal(
    cipher: Cipher, user_id: int, institution_id: str | None, values: Mapping[str, str]
) -> bytes:
    """Return `sealed` of a pull."""
    text = msgspec.json.encode(values).decode()
    return cipher.encrypt(sealing.pull_parameters(user_id, institution_id), text)


def unseal(cipher: Cipher, pull: Pull) -> dict[str, str]:
    """Raises cryptography.fernet.InvalidToken if no key fits, or if it is of another pull."""
    if pull.sealed is None:
        return {}
    place = sealing.pull_parameters(pull.user_id, pull.institution_id)
    return msgspec.json.decode(cipher.decrypt(Sealed(place, pull.sealed)), type=dict[str, str])
