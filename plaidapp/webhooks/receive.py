"""Receive Plaid's webhooks: verify, store and handle each one in one transaction.

The answer is 200 only after the commit, because Plaid repeats a webhook that got another answer.
Nothing is read from the bank here: a handler adds a pull, and the queue is rung.
https://plaid.com/docs/api/webhooks/
"""

import logging
import time

from flask import Blueprint, abort, request
from sqlalchemy.exc import OperationalError

from plaidapp import policy
from plaidapp.bank.link_payloads import hash_of
from plaidapp.bank.payloads import Event
from plaidapp.bank.webhook_signatures import (
    ForgedError,
    check_signature,
    fingerprint,
    key_id,
)
from plaidapp.csrf import csrf
from plaidapp.extensions import db
from plaidapp.jobs import queue
from plaidapp.redaction import redact_json
from plaidapp.store import Pull
from plaidapp.store.base.dialect import is_of_lock, wait_briefly_for_locks
from plaidapp.store.connections import item_states, link_sessions
from plaidapp.store.webhooks import deliveries

from . import handlers, outcomes, signing_key

log = logging.getLogger(__name__)

Answer = tuple[dict[str, str], int]
Stored = tuple[str, Pull | None]

blueprint = Blueprint("webhooks", __name__)


@blueprint.post("/webhooks/plaid")
@csrf.exempt
def receive() -> Answer:
    request.max_content_length = policy.MAX_FORM + 1  # a chunked body is silently cut off there
    body = request.get_data()
    if len(body) > policy.MAX_FORM:
        abort(413)
    token = request.headers.get("Plaid-Verification", "")
    event = handlers.read(body)
    try:
        kid = key_id(token, body, time.time())
        signed = check_signature(token, signing_key.find(kid, event, request.remote_addr or ""))
    except ForgedError as reason:
        log.warning("A webhook was refused: %s", reason)
        outcomes.count(event, outcomes.REFUSED)
        return {"error": "This webhook is not signed by Plaid."}, 401
    except signing_key.KeyUnknownError:
        outcomes.count(event, outcomes.UNAVAILABLE)
        return {"error": "The key of this webhook can't be checked now."}, 503
    outcomes.count(event, _accept(fingerprint(token), event, body))
    outcomes.time_from(signed)
    return {"status": "kept"}, 200


def _accept(token: str, event: Event, body: bytes) -> str:
    """Store the webhook and, unless it was delivered before, handle it. Return the outcome.

    Plaid's answer must not wait for a sync that has locked what the webhook changes. It is stored
    then, and handled later (`inbox`).
    """
    wait_briefly_for_locks(policy.WEBHOOK_LOCK_WAIT)
    try:
        outcome, pull = _store(token, event, body)
        if pull:
            queue.ring(pull)  # commits first
        else:
            db.session.commit()
    except OperationalError as error:
        if not is_of_lock(error):
            raise
        db.session.rollback()
        outcome, _ = _store(token, event, body, at_once=False)
        db.session.commit()
    return outcome


def _store(token: str, event: Event, body: bytes, *, at_once: bool = True) -> Stored:
    """Return the outcome, and the pull to ring for, if any. Does not commit.

    Nothing is read or stored of an Item that the person disconnected, or of an Item or a session of
    Link that is not stored: its person may have had everything deleted. No token is stored either:
    webhooks about Link have some that can be exchanged.
    """
    item = deliveries.named_item(event.item_id) if event.item_id else None
    session = link_sessions.of_token(hash_of(event.link_token)) if event.link_token else None
    is_unknown = (event.item_id or event.link_token) and not (item or session)
    if is_unknown or (item and item.state in item_states.BY_PERSON):
        return outcomes.IGNORED, None
    is_known = handlers.is_known(event)
    at_once = at_once and not (item and item.some_wait)
    is_new = deliveries.save(
        token,
        redact_json(body.decode(errors="replace").replace("\0", "")),
        type=event.webhook_type,
        code=event.webhook_code,
        plaid_item_id=event.item_id,
        item_id=item.id if item else None,
        session_id=session.id if session else None,
        handled=is_known and at_once,
    )
    if not is_new:
        return outcomes.REPEATED, None
    if is_known and at_once:
        return outcomes.KEPT, handlers.handle(event, item, session)
    if is_known:
        deliveries.put_off(token)
    return outcomes.KEPT, None
