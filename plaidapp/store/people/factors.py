"""What a person can prove besides their password."""

from typing import NamedTuple

from sqlalchemy import exists, func, select

from plaidapp.extensions import db

from .authenticators import Authenticator
from .passkeys import Passkey


class Factors(NamedTuple):
    """Whether the person has an authenticator app, and how many passkeys."""

    app: bool
    passkeys: int

    def __bool__(self) -> bool:
        return self.app or self.passkeys > 0


def of_person(user_id: int) -> Factors:
    app = exists().where(Authenticator.user_id == user_id)
    keys = select(func.count()).where(Passkey.user_id == user_id).scalar_subquery()
    return Factors(*db.session.execute(select(app, keys)).one())
