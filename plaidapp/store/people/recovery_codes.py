"""Recovery codes: each stands in once for a second factor that a person has lost.

Only their hashes are stored. A code has more than 112 bits, so a plain hash can't be reversed:
OWASP ASVS 5.0, 6.5.2.
"""

import hashlib
import secrets
import unicodedata
from datetime import datetime

from sqlalchemy import ForeignKey, String, delete, func, select
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp import policy
from plaidapp.extensions import Base, db

from ..base.types import Moment, now
from ..base.writes import write

ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
"""Without letters and digits that look alike."""
LENGTH, GROUP = 24, 4


class RecoveryCode(Base):
    """A code that is not used yet. Using it deletes it."""

    __tablename__ = "recovery_code"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    code_hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(Moment)


def renew(user_id: int) -> list[str]:
    """Replace the person's codes with new ones, and return them. They can't be read again."""
    remove(user_id)
    codes = [_new() for _ in range(policy.RECOVERY_CODES)]
    moment = now()
    db.session.add_all(
        RecoveryCode(user_id=user_id, code_hash=_hash(code), created_at=moment) for code in codes
    )
    return codes


def use(user_id: int, code: str) -> bool:
    """Use the code up. Return False if it is wrong or was used before."""
    mine = RecoveryCode.user_id == user_id, RecoveryCode.code_hash == _hash(code)
    return write(delete(RecoveryCode).where(*mine)) > 0


def left(user_id: int) -> int:
    """Return how many codes the person has that are not used yet."""
    query = select(func.count()).where(RecoveryCode.user_id == user_id)
    return db.session.scalar(query) or 0


def remove(user_id: int) -> None:
    write(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))


def _new() -> str:
    letters = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return "-".join(letters[start : start + GROUP] for start in range(0, LENGTH, GROUP))


def _hash(code: str) -> str:
    """Hash what was typed, however it was grouped and whatever its case."""
    letters = unicodedata.normalize("NFKC", code).casefold()
    typed = "".join(letter for letter in letters if letter.isalnum())
    return hashlib.sha256(typed.encode("utf-8", "replace")).hexdigest()
