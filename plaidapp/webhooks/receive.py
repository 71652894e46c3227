"""What Plaid tells by itself. A webhook is checked, kept and acted on in one transaction.

It is answered 200 only after the commit: Plaid repeats what was answered otherwise. Nothing is
pulled in here; what there is to pull becomes a row, and the queue is rung.
https://plaid.com/docs/api/webhooks/
"""

import logging
import threading
import time
from typing import Any

import msgspec
from flask import Blueprint, abort, current_app, request

from plaidapp import policy
from plaidapp.bank.client import Bank
from plaidapp.bank.errors import BankError
from plaidapp.bank.payloads import Event
from plaidapp.bank.webhook_signatures import ForgedError, check_signature, key_id
from plaidapp.csrf import csrf
from plaidapp.extensions import db
from plaidapp.jobs import queue
from plaidapp.store.connections import items
from plaidapp.store.webhooks import deliveries, signing_keys

from . import handlers

log = logging.getLogger(__name__)

LARGEST = 64 * 1024
Answer = tuple[dict[str, str], int]

blueprint = Blueprint("webhooks", __name__)


class KeyUnknownError(Exception):
    """The key can't be had now; Plaid will deliver again."""


@blueprint.post("/webhooks/plaid")
@csrf.exempt
def receive() -> Answer:
    request.max_content_length = LARGEST + 1  # a chunked body is cut off there without a word
    body = request.get_data()
    if len(body) > LARGEST:
        abort(413)
    token = request.headers.get("Plaid-Verification", "")
    try:
        kid = key_id(token, body, time.time())
        check_signature(token, _key(kid))
    except ForgedError as reason:
        log.warning("A webhook was refused: %s", reason)
        return {"error": "This webhook is not signed by Plaid."}, 401
    except KeyUnknownError:
        return {"error": "The key of this webhook can't be checked now."}, 503
    _accept(token, body)
    return {"status": "kept"}, 200


def _accept(token: str, body: bytes) -> None:
    event = _read(body)
    item = items.by_plaid_id(event.item_id) if event.item_id else None
    handler = handlers.HANDLERS.get((event.webhook_type or "", event.webhook_code or ""))
    fresh = deliveries.save(
        token,
        body.decode(errors="replace").replace("\0", ""),
        type=event.webhook_type,
        code=event.webhook_code,
        plaid_item_id=event.item_id,
        item_id=item.id if item else None,
        handled=handler is not None,
    )
    pull = None
    if fresh and handler and item and item.state != items.REPLACED:
        pull = handler(item, event)
    if pull:
        queue.ring(pull)  # commits first
    else:
        db.session.commit()


def _read(body: bytes) -> Event:
    """Signed by Plaid but not as it documents: kept all the same, as a kind nobody knows."""
    if rb"\u0000" in body:  # PostgreSQL stores no text with a NUL
        return Event()
    try:
        return msgspec.json.decode(body, type=Event)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Event()


def _key(kid: str) -> dict[str, Any]:
    """The key, remembered for a minute. Raises ForgedError when Plaid has none of this id."""
    remembered: dict[str, tuple[float, dict[str, Any]]] = current_app.extensions["webhook keys"]
    until, key = remembered.get(kid, (0.0, {}))
    if time.monotonic() > until:
        key = _find_key(kid)
        if not key:
            raise ForgedError("Plaid knows no such key")
        remembered[kid] = (time.monotonic() + policy.KEY_CACHED, key)
    return key


def _find_key(kid: str) -> dict[str, Any]:
    """From the database, or once a minute from Plaid; empty when Plaid knows no such key."""
    deadline = time.monotonic() + policy.KEY_PATIENCE
    while (key := signing_keys.find(kid)) is None:
        may_ask = signing_keys.may_ask(kid)
        worth_waiting = signing_keys.is_being_asked(kid) and time.monotonic() < deadline
        db.session.commit()  # hold nothing while Plaid answers, or another request asks it
        if may_ask:
            return _ask_for_key(kid)
        if not worth_waiting:
            if (key := signing_keys.find(kid)) is None:  # may have been answered just now
                raise KeyUnknownError
            break
        threading.Event().wait(0.05)
    return key


def _ask_for_key(kid: str) -> dict[str, Any]:
    """Empty when Plaid knows no such key. Raises KeyUnknownError when it can't be asked."""
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
