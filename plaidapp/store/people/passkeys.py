"""Passkeys: keys of a person's devices that log them in (https://www.w3.org/TR/webauthn-3/).

Only the public half is stored. A passkey belongs to the host where it was added: browsers offer it
nowhere else.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String, Table, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp.extensions import Base, db

from ..base.types import Moment, now
from ..base.upsert import insert_new
from ..base.writes import write

LONGEST_NAME = 64


class Passkey(Base):
    """`credential_id` and `public_key` are the authenticator's own. `host` is WebAuthn's RP ID.

    `sign_count` is how often the authenticator says that it has signed; always 0 for many of them.
    `can_be_copied` says that the passkey may be on several devices of the person, as one in a
    password manager.
    """

    __tablename__ = "passkey"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    credential_id: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    host: Mapped[str] = mapped_column(String(254))
    name: Mapped[str] = mapped_column(String(LONGEST_NAME))
    sign_count: Mapped[int] = mapped_column(BigInteger)
    can_be_copied: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(Moment)
    last_used_at: Mapped[datetime | None] = mapped_column(Moment)


def add(user_id: int, **columns: Any) -> bool:
    """Return False, with nothing changed, if the passkey is stored already."""
    row = columns | {"user_id": user_id, "created_at": now()}
    return insert_new(cast(Table, Passkey.__table__), row)


def of_person(user_id: int) -> Sequence[Passkey]:
    """Return the person's passkeys in the order in which they were added."""
    return db.session.scalars(
        select(Passkey).where(Passkey.user_id == user_id).order_by(Passkey.id)
    ).all()


def owned(passkey_id: int, user_id: int) -> Passkey | None:
    """Return the passkey, or None if it is not this person's."""
    mine = Passkey.id == passkey_id, Passkey.user_id == user_id
    return db.session.scalar(select(Passkey).where(*mine))


def by_credential(credential_id: bytes) -> Passkey | None:
    return db.session.scalar(select(Passkey).where(Passkey.credential_id == credential_id))


def note_use(passkey: Passkey, sign_count: int) -> bool:
    """Store that the passkey has signed. Return False if its count has not grown.

    A passkey that was copied counts from where the copy was made. One that never counts stays 0.
    """
    mine = update(Passkey).where(Passkey.id == passkey.id)
    grown = mine.where(Passkey.sign_count < sign_count)
    unchanged = mine.where(Passkey.sign_count == 0)
    used = (grown if sign_count else unchanged).values(sign_count=sign_count, last_used_at=now())
    return write(used) == 1


def remove(passkey: Passkey) -> None:
    write(delete(Passkey).where(Passkey.id == passkey.id))
