"""Links in mails about banks that end such mails: RFC 8058.

A link's token names the person, signed. It works as long as the key in SECRET_KEY, so that an old
mail's does too, and it opens nothing else.
"""

import hashlib
from typing import Any

from flask import current_app
from itsdangerous import BadSignature, Signer

from plaidapp.extensions import signing_keys
from plaidapp.store import User
from plaidapp.store.people import users

SALT = "plaidapp.stop-mails"


def path_to(user: User) -> str:
    told = f"{user.id}-{users.opaque_id_of(user)}"
    return path("auth.stop_mails", stop_token=_signer().sign(told).decode())


def path(endpoint: str, **values: Any) -> str:
    """Return the path of a page, also where there is no request."""
    return current_app.url_map.bind("").build(endpoint, values)


def person_of(token: str) -> User | None:
    """Return whose mails the link ends. None if it is wrong, or the person is gone."""
    try:
        told = _signer().unsign(token.encode("utf-8", "replace")).decode()
    except BadSignature:
        return None
    user_id, _, opaque_id = told.partition("-")
    user = users.by_id(int(user_id))
    return user if user and user.opaque_id == opaque_id else None


def _signer() -> Signer:
    keys = signing_keys(current_app)
    return Signer(keys, salt=SALT, digest_method=hashlib.sha256)
