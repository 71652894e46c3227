"""Recognize a browser from which a person has logged in before, by a signed cookie and its row.

It opens nothing. It only has the browser's wrong passwords counted apart from those of strangers
(throttle.py). Several people may share a browser. Logging a device out from another one makes it
unknown, and a new password makes all devices of a person unknown.
"""

import hmac
import secrets
from typing import NamedTuple

from flask import current_app, request
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug import Response

from plaidapp import policy
from plaidapp.cookies import of_this_host
from plaidapp.extensions import signing_keys
from plaidapp.store import User
from plaidapp.store.base.types import now
from plaidapp.store.people import known_devices, users
from plaidapp.store.people.credentials import Credentials

from . import passwords

NAME, SALT = "known-device", "known device"
LIFE = int(policy.KNOWN_DEVICE_LIFE.total_seconds())


class Entry(NamedTuple):
    """A person who logged in here. `moment` is when they last did, in seconds since 1970."""

    user_id: int
    device: str
    password: str
    moment: int


def id_of(person: Credentials | None) -> str | None:
    """Return the id of this browser if it is known as a device of `person`.

    The signature is checked whoever `person` is, so that its time tells nothing about a name.
    """
    known = {entry.user_id: entry for entry in _entries()}.get(person.id) if person else None
    if not person or not known:
        return None
    is_same = hmac.compare_digest(known.password, passwords.fingerprint(person.password_hash))
    return known.device if is_same and known_devices.is_known(person.id, known.device) else None


def id_of_user(user: User) -> str | None:
    """Return the id of this browser if it is known as a device of `user`, whose row was read."""
    return id_of(Credentials(user.id, user.password_hash, users.opaque_id_of(user)))


def new_id() -> str:
    return secrets.token_hex(8)


def remember(response: Response, user: User, device: str) -> None:
    """Give this browser the cookie of a known device. Its row is stored with the session."""
    password, moment = passwords.fingerprint(user.password_hash), int(now().timestamp())
    mine = Entry(user.id, device, password, moment)
    _set(response, [mine, *_others(user.id)][: policy.KNOWN_DEVICE_PEOPLE])


def forget(response: Response, user_id: int) -> None:
    """Take a person out of the cookie, who is gone."""
    _set(response, _others(user_id))


def _others(user_id: int) -> list[Entry]:
    return [entry for entry in _entries() if entry.user_id != user_id]


def _set(response: Response, entries: list[Entry]) -> None:
    response.set_cookie(
        of_this_host(NAME),
        _serializer().dumps(entries),
        max_age=LIFE,
        path="/",
        secure=request.is_secure,
        httponly=True,
        samesite="Lax",
    )


def _entries() -> list[Entry]:
    """Return whom the cookie names, the last to log in first."""
    try:
        content = _serializer().loads(request.cookies.get(of_this_host(NAME), ""), max_age=LIFE)
        entries = [Entry(*entry) for entry in content]
    except (BadData, TypeError, ValueError):
        return []
    return [entry for entry in entries if entry.moment > now().timestamp() - LIFE]


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(signing_keys(current_app), salt=SALT)
