"""A log-in that lacks its second factor: the password was right, and nothing else is proved.

It is no session. It opens the page that asks for the second factor, and nothing else, for
policy.HALF_LOG_IN_LIFE, until it is completed once or the password changes. It is in Flask's signed
cookie, so a copy of the cookie is worth no more.
"""

import hmac
import secrets
from datetime import UTC, datetime
from typing import NamedTuple

from flask import session

from plaidapp import policy
from plaidapp.store import User
from plaidapp.store.base.types import now
from plaidapp.store.people import factors, spent_tokens, users

from . import passwords

KEY = "half_log_in"
LONGEST_TARGET = 1_500
"""Characters. Browsers drop a cookie of more than 4,096 bytes."""


class HalfLogIn(NamedTuple):
    """`kept` is the person's choice, `target` is where the log-in leads, and `device` is the id of
    this browser if it is a known device of theirs."""

    user: User
    token: str
    ends_at: datetime
    kept: bool
    target: str
    device: str | None

    def use_up(self) -> bool:
        """Let no copy of the cookie be used again. Return False if one was used already."""
        return spent_tokens.spend(self.user.id, self.token, self.ends_at)


def begin(user: User, target: str, *, kept: bool, device: str | None) -> None:
    if len(target) > LONGEST_TARGET:
        target = "/"
    ends_at = int((now() + policy.HALF_LOG_IN_LIFE).timestamp())
    fingerprint = passwords.fingerprint(user.password_hash)
    token = secrets.token_urlsafe(16)
    session[KEY] = [user.id, fingerprint, token, ends_at, kept, target, device]


def find() -> HalfLogIn | None:
    """Return the half log-in of this browser, if there is one that still counts."""
    if KEY not in session:
        return None
    user_id, fingerprint, token, end, *choices = session[KEY]
    ends_at, user = datetime.fromtimestamp(end, UTC), users.by_id(user_id)
    if user is None or ends_at <= now() or spent_tokens.is_spent(token):
        return None
    if not hmac.compare_digest(fingerprint, passwords.fingerprint(user.password_hash)):
        return None
    if not factors.of_person(user.id):  # the last one has been removed meanwhile
        return None
    return HalfLogIn(user, token, ends_at, *choices)
