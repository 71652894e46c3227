"""Find the key that a webhook is signed with: in this process, in the database, or at Plaid.

Even if somebody makes up key ids, Plaid is asked at most `policy.KEY_LOOKUPS` times a minute.
https://plaid.com/docs/api/webhooks/webhook-verification/
"""

import threading
import time
from typing import Any

from flask import current_app

from plaidapp import policy
from plaidapp.bank.client import Bank
from plaidapp.bank.errors import BankError
from plaidapp.bank.webhook_signatures import ForgedError
from plaidapp.extensions import db
from plaidapp.store.webhooks import signing_keys

Key = dict[str, Any]


class KeyUnknownError(Exception):
    """The key is not available now. Plaid will deliver the webhook again."""


class KeyCache:
    """The keys that this process has used within the last minute."""

    def __init__(self) -> None:
        self._keys: dict[str, tuple[float, Key]] = {}

    def get(self, kid: str) -> Key | None:
        expires, key = self._keys.get(kid, (0.0, None))
        return key if time.monotonic() <= expires else None

    def set(self, kid: str, key: Key) -> None:
        self._keys[kid] = (time.monotonic() + policy.KEY_CACHED, key)


def find(kid: str) -> Key:
    """Return the key as a JWK.

    Raises ForgedError if Plaid has no key with this id, and KeyUnknownError if that can't be found
    out now.
    """
    cache: KeyCache = current_app.extensions["webhook_keys"]
    key = cache.get(kid)
    if key is None:
        key = _stored_or_asked(kid)
        if not key:
            raise ForgedError("Plaid knows no such key")
        cache.set(kid, key)
    return key


def _stored_or_asked(kid: str) -> Key:
    """Return an empty dict if Plaid knows no such key. Raises KeyUnknownError."""
    deadline = time.monotonic() + policy.KEY_PATIENCE
    while (key := signing_keys.find(kid)) is None:
        may_ask = signing_keys.may_ask(kid)
        worth_waiting = signing_keys.is_being_asked(kid) and time.monotonic() < deadline
        db.session.commit()  # hold no transaction while Plaid, or another request, is waited for
        if may_ask:
            return _ask_plaid(kid)
        if not worth_waiting:
            if (key := signing_keys.find(kid)) is None:  # the answer may have come just now
                raise KeyUnknownError
            break
        threading.Event().wait(policy.KEY_LOOK_AGAIN)
    return key


def _ask_plaid(kid: str) -> Key:
    """Return an empty dict if Plaid knows no such key. Raises KeyUnknownError."""
    bank: Bank = current_app.extensions["bank"]
    try:
        key = bank.webhook_key(kid)
    except BankError as error:
        if error.retryable:
            raise KeyUnknownError from error
        key = {}
    signing_keys.save(kid, key)
    db.session.commit()
    return key
