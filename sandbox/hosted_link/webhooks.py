"""The webhooks of a session (https://plaid.com/docs/api/link/#webhooks), to its token's address."""

import json
import sqlite3
from typing import Any

from sandbox import link_tokens
from sandbox.context import Sandbox
from sandbox.hosted_link import events, sessions
from sandbox.hosted_link.sessions import Session
from sandbox.link_tokens import LinkToken

ABANDONED_SECONDS = 10 * 60
"""Plaid sends the events of a session 5 to 15 minutes after the last touch if nobody ends it."""


def send(
    sandbox: Sandbox,
    db: sqlite3.Connection,
    link: LinkToken,
    session: Session,
    code: str,
    **fields: Any,
) -> None:
    """Queue a webhook with type LINK, if the token has a webhook address."""
    if link.request.webhook is None:
        return
    payload = {
        "webhook_type": "LINK",
        "webhook_code": code,
        "link_session_id": session.id,
        "link_token": link.token,
        **fields,
        "environment": "sandbox",
    }
    body = json.dumps(payload, indent=2)
    sandbox.webhook_queue.post(db, None, link.request.webhook, code, body)


def announce_item(
    sandbox: Sandbox, db: sqlite3.Connection, link: LinkToken, session: Session, public_token: str
) -> None:
    send(sandbox, db, link, session, "ITEM_ADD_RESULT", public_token=public_token)


def announce_end(
    sandbox: Sandbox, db: sqlite3.Connection, link: LinkToken, session: Session
) -> None:
    """Announce that a session has ended, and what has happened in it."""
    tokens = [result["public_token"] for result in session.state.results]
    deprecated = {"public_token": tokens[-1]} if tokens else {}
    sandbox.webhook_queue.cancel_session(db, session.id)
    send(sandbox, db, link, session, "SESSION_FINISHED",
         status=session.status, public_tokens=tokens, **deprecated)  # fmt: skip
    _announce_events(sandbox, db, link, session)


def wait_for_end(sandbox: Sandbox, db: sqlite3.Connection, session: Session) -> None:
    """Send the events later if nobody continues the session."""
    due = sandbox.now() + ABANDONED_SECONDS
    sandbox.webhook_queue.schedule_session(db, session.id, "EVENTS", due)


def announce_abandoned(sandbox: Sandbox, db: sqlite3.Connection, session_id: str) -> None:
    session = sessions.find(db, session_id)
    link = link_tokens.by_token(db, session.token) if session else None
    if session and link and session.finished is None:
        _announce_events(sandbox, db, link, session)


def _announce_events(
    sandbox: Sandbox, db: sqlite3.Connection, link: LinkToken, session: Session
) -> None:
    send(sandbox, db, link, session, "EVENTS", events=events.listed(db, session.id))
