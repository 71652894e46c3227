"""What a log-in is checked against."""

from typing import NamedTuple

from sqlalchemy import bindparam, or_, select

from plaidapp.extensions import db

from .users import User, key_of


class Credentials(NamedTuple):
    id: int
    password_hash: str
    opaque_id: str | None


_CREDENTIALS = select(User.id, User.password_hash, User.opaque_id).where(
    or_(User.username_key == bindparam("key"), User.email_key == bindparam("key"))
)


def credentials_of(name: str) -> Credentials | None:
    """Return what a log-in by this username or email address is checked against.

    It reads no more, so that finding a person takes no longer than finding nobody.
    """
    if "\0" in name:  # no name has one, and PostgreSQL raises an error
        return None
    row = db.session.execute(_CREDENTIALS, {"key": key_of(name)}).first()
    return Credentials(*row) if row else None
