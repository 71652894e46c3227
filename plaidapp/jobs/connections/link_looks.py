"""Look what has happened at Plaid in a session of Link, and have somebody look.

A look stores what it finds before anything else is done with it. While a pull follows a session, it
looks. After that, a pull of kind `look` does, unseen: a second tab may still finish.
https://plaid.com/docs/api/link/#linktokenget
"""

from datetime import datetime

import msgspec

from plaidapp import policy
from plaidapp.bank import errors, link_payloads
from plaidapp.bank.client import Bank
from plaidapp.bank.errors import BankError
from plaidapp.extensions import db
from plaidapp.store import LinkSession, Pull
from plaidapp.store.base.types import now
from plaidapp.store.connections import link_results, link_sessions
from plaidapp.store.connections.link_results import Found
from plaidapp.store.people import users
from plaidapp.store.pulls import kinds, link_pulls, pulls, transitions

from ..pulls.attempt import Attempt

UNKNOWN_TOKEN = frozenset({"INVALID_LINK_TOKEN", "INVALID_FIELD"})
"""Plaid no longer knows the link token: it has expired."""


def request(session: LinkSession, asked_by: str) -> Pull | None:
    """Count one more request to look; return the pull to ring for after the commit, if any.

    A running pull looks again if it finds a newer request before it ends. It checks under the lock
    that counting takes here, so no request is lost.
    """
    link_sessions.request_look(session.id)
    follows = db.session.get_one(Pull, session.pull_id, populate_existing=True)
    if follows.active:
        waits = follows.state == pulls.QUEUED and follows.run_after > now()
        return follows if waits and transitions.hurry(follows.id) else None
    if link_pulls.waiting(session.user_id, kinds.LOOK):
        return None
    return pulls.add(session.user_id, kinds.LOOK, asked_by=asked_by)


def see_to_due() -> None:
    """Have the sessions looked at that nobody has looked at for a while. For the clock."""
    for session in link_sessions.due(policy.LINK_BATCH):
        if session.expires_at and session.expires_at + policy.LINK_GIVEN_UP < now():
            _forget(session)
        else:
            link_sessions.change(session.id, look_after=link_sessions.look_later())
            request(session, pulls.CLOCK)


def look_unseen(attempt: Attempt) -> None:
    """Look at the person's sessions whose pull is over; start it again where there is news, or
    where the exchange has failed.

    Raises BankError, after it has looked at every session.
    """
    problems = []
    for session in link_sessions.to_look_at(attempt.pull.user_id):
        follows = db.session.get_one(Pull, session.pull_id)
        try:
            is_news = not follows.active and look(attempt.bank, session)
        except BankError as error:
            problems.append(error)
            is_news = False
        if not follows.active and (is_news or _is_unfinished(session)):
            users.ledger_changed(session.user_id)
            link_pulls.revive(follows.id)  # the clock rings for it
            db.session.commit()
    if problems:
        raise errors.worst(problems)


def _is_unfinished(session: LinkSession) -> bool:
    """In update mode, nothing is exchanged."""
    connects = session.purpose == link_sessions.CONNECT
    return connects and link_results.is_unfinished(session.id)


def look(bank: Bank, session: LinkSession) -> bool:
    """Store what has happened at Plaid. Return True if the person has finished something new.

    After update mode there is nothing to exchange, and so nothing to keep of its results.
    Commits. Raises BankError.
    """
    requests, was_finished = session.look_requested, session.finished_at is not None
    db.session.commit()  # hold no transaction while Plaid is asked
    state = _ask(bank, session)
    opened = state.link_sessions if session.purpose == link_sessions.CONNECT else []
    added = [_found(bank, session.user_id, each, one) for one in opened for each in one.added]
    is_new = link_results.save(session.id, added) > 0
    finished_at = session.finished_at
    if session.purpose != link_sessions.CONNECT:  # a new connection is finished by its result
        finished_at = _finished_at(state) or finished_at
    link_sessions.change(
        session.id,
        look_applied=requests,
        looked_at=now(),
        finished_at=finished_at,
        **_exit_of(state),
    )
    is_old = session.expires_at and session.expires_at + policy.LINK_KEPT < now()
    if is_old and not link_results.may_be_exchanged(session.id):
        _forget(session)
    db.session.commit()
    return is_new or (finished_at is not None and not was_finished)


def _forget(session: LinkSession) -> None:
    """Destroy all tokens of the session: nothing more can come of it."""
    link_sessions.forget(session.id)
    link_results.forget_tokens(session.id)


def _ask(bank: Bank, session: LinkSession) -> link_payloads.LinkState:
    if session.sealed_token is None:
        return link_payloads.LinkState()
    try:
        return bank.link_sessions(session.token)
    except BankError as error:
        if error.code not in UNKNOWN_TOKEN:
            raise
        return link_payloads.LinkState()


def _found(
    bank: Bank, user_id: int, added: link_payloads.ItemAdded, opened: link_payloads.LinkSession
) -> Found:
    bank_of = added.institution or link_payloads.Institution()
    public_token = added.public_token or ""
    return Found(
        link_payloads.hash_of(public_token),
        bank.seal(user_id, public_token),
        bank_of.institution_id,
        bank_of.name,
        msgspec.json.encode(added.accounts or []).decode(),
        min(opened.finished_at or now(), now()) + policy.PUBLIC_TOKEN_LIFE,
    )


def _finished_at(state: link_payloads.LinkState) -> datetime | None:
    """Return when the person first finished Link without leaving it. None if they have not."""
    ends = [each.finished_at for each in state.link_sessions if not each.exit]
    return min((end for end in ends if end), default=None)


def _exit_of(state: link_payloads.LinkState) -> dict[str, str | None]:
    """Return what Plaid says of the last time that the person left, or of the last session."""
    if not state.link_sessions:
        return {}
    left = [each for each in state.link_sessions if each.exit]
    last = (left or state.link_sessions)[-1]
    told = (last.exit and last.exit.metadata) or link_payloads.ExitMetadata()
    error = last.exit.met if last.exit else None
    return {
        "exit_code": error.error_code if error else None,
        "exit_message": errors.from_plaid(error, status=400).message if error else None,
        "exit_status": (told.status or "exited") if last.exit else None,
        "link_session_id": last.link_session_id,
        "request_id": told.request_id or state.request_id,
    }
