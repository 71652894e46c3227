"""Recognize a browser from which a person has logged in before, by a signed cookie.

It opens nothing. It only has the browser's wrong passwords counted apart from those of strangers
(throttle.py). A new password makes all devices of a person unknown.
"""

import hashlib
import hmac
import secrets

from flask import current_app, request
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug import Response

from plaidapp import policy
from plaidapp.extensions import signing_keys
from plaidapp.store import User
from plaidapp.store.people import users

SALT = "known device"
LIFE = int(policy.KNOWN_DEVICE_LIFE.total_seconds())


def id_of(person: users.Credentials | None) -> str | None:
    """Return the id of this browser if it is known as a device of `person`.

    The signature is checked whoever `person` is, so that its time tells nothing about a name.
    """
    cookie = request.cookies.get(_name(), "")
    try:
        user_id, device, password = _serializer().loads(cookie, max_age=LIFE)
    except (BadData, TypeError, ValueError):
        return None
    if not person or user_id != person.id:
        return None
    return device if hmac.compare_digest(password, _fingerprint(person.password_hash)) else None


def remember(response: Response, user: User, device: str | None = None) -> None:
    """Make this browser a known device. `device` is its id if it is known already."""
    content = (user.id, device or secrets.token_hex(8), _fingerprint(user.password_hash))
    response.set_cookie(
        _name(),
        _serializer().dumps(content),
        max_age=LIFE,
        path="/",
        secure=request.is_secure,
        httponly=True,
        samesite="Lax",
    )


def _name() -> str:
    """Only this host can set a cookie whose name begins with `__Host-`, over https."""
    return "__Host-known-device" if request.is_secure else "known-device"


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(signing_keys(current_app), salt=SALT)


def _fingerprint(password_hash: str) -> str:
    """The hash has a secret salt, so this tells nothing about the password."""
    return hashlib.sha256(password_hash.encode()).hexdigest()[:32]
