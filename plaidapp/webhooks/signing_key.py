"""Find the key that a webhook is signed with: in this process, in the database, or at Plaid.

Even if somebody makes up key ids, Plaid is asked only as often as `policy.KEY_WINDOW` says, and a
webhook that names an Item of ours gets its answer.
https://plaid.com/docs/api/webhooks/webhook-verification/
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import current_app

from plaidapp import policy
from plaidapp.bank.client import Bank
from plaidapp.bank.errors import BankError
from plaidapp.bank.payloads import Event
from plaidapp.bank.webhook_signatures import ForgedError
from plaidapp.extensions import db
from plaidapp.store.webhooks import signing_keys
from plaidapp.store.webhooks.signing_keys import Sender

from .sender import sender_of

Key = dict[str, Any]


class KeyUnknownError(Exception):
    """The key is not available now. Plaid will deliver the webhook again."""


class KeyCache:
    """The keys that this process has used within the last minute."""

    def __init__(self) -> None:
        self._keys: dict[str, tuple[float, Key]] = {}
        self._seats = threading.BoundedSemaphore(policy.KEY_WAITERS)

    def get(self, kid: str) -> Key | None:
        expires, key = self._keys.get(kid, (0.0, None))
        return key if time.monotonic() <= expires else None

    def set(self, kid: str, key: Key) -> None:
        self._keys[kid] = (time.monotonic() + policy.KEY_CACHED, key)

    @contextmanager
    def seat(self) -> Iterator[None]:
        """Let a few requests wait, so that others find a thread. Raises KeyUnknownError."""
        if not self._seats.acquire(blocking=False):
            raise KeyUnknownError
        try:
            yield
        finally:
            self._seats.release()


def find(kid: str, event: Event, address: str) -> Key:
    """Return the key as a JWK. `event` and `address` say who asks.

    Raises ForgedError if Plaid has no key with this id, and KeyUnknownError if that can't be found
    out now.
    """
    cache: KeyCache = current_app.extensions["webhook_keys"]
    key = cache.get(kid)
    if key is None:
        key = signing_keys.find(kid)
        if key is None:
            key = _asked(kid, sender_of(event, address), cache)
        db.session.commit()  # the webhook has a transaction of its own
        if not key:
            raise ForgedError("Plaid knows no such key")
        cache.set(kid, key)
    return key


def _asked(kid: str, sender: Sender, cache: KeyCache) -> Key:
    """Return an empty dict if Plaid knows no such key. Raises KeyUnknownError."""
    if _takes_turn(kid, sender):
        return _ask_plaid(kid)
    deadline = time.monotonic() + policy.KEY_PATIENCE
    with cache.seat():
        is_worth = _is_worth_waiting(kid, sender)
        while is_worth and time.monotonic() < deadline:
            threading.Event().wait(policy.KEY_LOOK_AGAIN)
            # Before the turn is tried: a share that is free again in between is then taken.
            is_worth = _is_worth_waiting(kid, sender)
            if (key := signing_keys.find(kid)) is not None:
                return key
            if _takes_turn(kid, sender):
                return _ask_plaid(kid)
    if (key := signing_keys.find(kid)) is None:  # the answer may have come just now
        raise KeyUnknownError
    return key


def _takes_turn(kid: str, sender: Sender) -> bool:
    """Hold no transaction after that, while Plaid or another request is waited for."""
    may_ask = signing_keys.may_ask(kid, sender)
    db.session.commit()
    return may_ask


def _is_worth_waiting(kid: str, sender: Sender) -> bool:
    """Either another request is asking, or it is this sender's turn in a moment."""
    is_worth = signing_keys.is_being_asked(kid) or (
        sender.names_ours and signing_keys.has_used_share(sender)
    )
    db.session.commit()
    return is_worth


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
