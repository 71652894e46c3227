"""A person who has everything deleted. Their row stays, with nothing in it, until all else is gone.

Banks may have to be told for days. Meanwhile nothing here says who the person was, and another one
may have their name and email address.
"""

import secrets
from typing import Any

from sqlalchemy import delete, update

from ..base.types import now
from ..base.writes import write
from . import time_zones
from .authenticators import Authenticator
from .calendar_feeds import CalendarFeed
from .known_devices import KnownDevice
from .login_sessions import LoginSession
from .mail_links import MailLink
from .outbox import Mail
from .passkeys import Passkey
from .recovery_codes import RecoveryCode
from .users import NO_PASSWORD, TABLE, User

UNNAMED = 32
"""Bytes of the random keys of a person without a name. No log-in finds them."""
WAYS_IN = (
    *(LoginSession, KnownDevice, Passkey, Authenticator, RecoveryCode, MailLink, Mail),
    CalendarFeed,
)
"""What logs the person in, or helps to, or shows anything of theirs without a log-in. Mails have
links and the address too."""


def begin(user_id: int) -> bool:
    """Log the person out everywhere and forget who they are. False if that has been done."""
    erased: dict[str, Any] = {each.name: None for each in TABLE.columns if each.nullable}
    erased |= {
        "leaving_since": now(),
        "username": "",
        "username_key": secrets.token_hex(UNNAMED),
        "email": "",
        "email_key": secrets.token_hex(UNNAMED),
        "password_hash": NO_PASSWORD,
        "time_zone": time_zones.UTC,
        "created_at": now(),
    }
    here = User.id == user_id, User.leaving_since.is_(None)
    for model in WAYS_IN:
        write(delete(model).where(model.user_id == user_id))
    return write(update(User).where(*here).values(**erased)) == 1


def end(user_id: int) -> None:
    """Delete the person's row, and whatever is left of theirs with it."""
    write(delete(User).where(User.id == user_id))
