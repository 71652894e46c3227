"""A person who has everything deleted. Their row stays, with nothing in it, until all else is gone.

Banks may have to be told for days. Meanwhile nothing here says who the person was, and another one
may have their name and email address.
"""

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update

from plaidapp.extensions import db

from ..base.types import now
from ..base.writes import write
from . import time_zones
from .login_sessions import LoginSession
from .passkeys import Passkey
from .users import TABLE, User

UNNAMED = 32
"""Bytes of the random keys of a person without a name. No log-in finds them."""


def begin(user_id: int) -> bool:
    """Log the person out everywhere and forget who they are. False if that has been done."""
    erased: dict[str, Any] = {each.name: None for each in TABLE.columns if each.nullable}
    erased |= {
        "leaving_since": now(),
        "username": "",
        "username_key": secrets.token_hex(UNNAMED),
        "email": "",
        "email_key": secrets.token_hex(UNNAMED),
        "password_hash": "",
        "time_zone": time_zones.UTC,
        "created_at": now(),
    }
    here = User.id == user_id, User.leaving_since.is_(None)
    for way_in in (LoginSession, Passkey):
        write(delete(way_in).where(way_in.user_id == user_id))
    return write(update(User).where(*here).values(**erased)) == 1


def since(user_id: int) -> datetime | None:
    """Return when the person had everything deleted. None for all others."""
    return db.session.scalar(select(User.leaving_since).where(User.id == user_id))


def end(user_id: int) -> None:
    """Delete the person's row, and whatever is left of theirs with it."""
    write(delete(User).where(User.id == user_id))
