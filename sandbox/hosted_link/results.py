"""What /link/token/get tells about the sessions of a link token.

https://plaid.com/docs/api/link/#linktokenget
"""

import sqlite3
from typing import Any

from sandbox.context import Sandbox, optional_timestamp, timestamp
from sandbox.hosted_link import events, sessions
from sandbox.hosted_link.sessions import Session
from sandbox.institutions import BY_ID
from sandbox.link_tokens import LinkToken

LISTED_SECONDS = 6 * 60 * 60


def listed_sessions(
    sandbox: Sandbox, db: sqlite3.Connection, link: LinkToken
) -> list[dict[str, Any]]:
    """Return Plaid's link sessions, oldest first.

    Each is listed for six hours after its end. Plaid says nothing of a session that nobody ended:
    here its end is the last form, or the end of the hosted link if that is later.
    """
    listed_since = sandbox.now() - LISTED_SECONDS
    return [
        _to_dict(db, session)
        for session in sessions.of_token(db, link.token)
        if (session.finished or max(session.touched, link.expires)) > listed_since
    ]


def _to_dict(db: sqlite3.Connection, session: Session) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "events": events.listed(db, session.id),
        "finished_at": optional_timestamp(session.finished),
        "link_session_id": session.id,
        "started_at": timestamp(session.started),
    }
    results = session.state.results
    if results:
        fields["results"] = {
            "bank_income_results": [],
            "cra_item_add_results": [],
            "cra_update_results": [],
            "document_income_results": None,
            "item_add_results": results,
            "payroll_income_results": [],
        }
    if session.status == "SUCCESS":
        last = results[-1]
        fields["on_success"] = {
            "metadata": {
                "accounts": last["accounts"],
                "institution": last["institution"],
                "link_session_id": session.id,
                "transfer_status": None,
            },
            "public_token": last["public_token"],
        }
    if session.status == "EXITED":
        fields["exit"] = fields["on_exit"] = _exit(session)
    return fields


def _exit(session: Session) -> dict[str, Any]:
    state = session.state
    institution = None
    if state.institution_id:
        name = BY_ID[state.institution_id].name
        institution = {"institution_id": state.institution_id, "name": name}
    return {
        "error": state.problem,
        "metadata": {
            "institution": institution,
            "link_session_id": session.id,
            "request_id": state.request_id,
            "status": state.left_at,
        },
    }
