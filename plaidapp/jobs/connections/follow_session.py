"""Follow a session of Hosted Link until the person has finished, left, or let it expire.

https://plaid.com/docs/link/hosted-link/
"""

from collections.abc import Sequence
from datetime import datetime

from plaidapp import policy
from plaidapp.bank.errors import BankError
from plaidapp.extensions import db
from plaidapp.store import LinkResult, LinkSession
from plaidapp.store.base.types import now
from plaidapp.store.connections import link_results, link_sessions
from plaidapp.store.connections.link_results import ALREADY_CONNECTED
from plaidapp.texts import gettext_noop

from ..pulls.attempt import Attempt
from . import connect_results, link_looks, update_mode

CANCELED = "LINK_CANCELED"
EXPIRED = "LINK_EXPIRED"
LOST = "LINK_RESULT_LOST"
SENTENCES = {
    CANCELED: gettext_noop("You left Plaid before you were done. Nothing has changed."),
    EXPIRED: gettext_noop("The link to Plaid has expired. Nothing has changed."),
    LOST: gettext_noop("This connection could not be finished. Connect the bank again."),
    ALREADY_CONNECTED: gettext_noop(
        "You already have this bank. Log in to it again instead. It’s free."
    ),
}


def follow(attempt: Attempt) -> None:
    """Look what has come of the session, and connect what the person chose. Raises BankError.

    The attempt then waits for the person, goes on with the Items of the pull, or ends as
    `attempt.verdict` says.
    """
    session = link_sessions.of_pull(attempt.pull.id)
    if session is None:
        return
    if session.ended_at is None or session.is_behind:
        _look(attempt, session)
        session = link_sessions.of_pull(attempt.pull.id) or session
    if session.purpose == link_sessions.CONNECT:
        connect_results.connect_results(attempt, session)
    results = link_results.of_session(session.id)
    db.session.commit()
    if not (session.finished_at or results or session.was_left or session.has_expired):
        attempt.waits_until = _next_look(session)
        return
    finished_at, ended_at = session.finished_at, session.ended_at
    is_news = ended_at is None or (finished_at is not None and finished_at > ended_at)
    if is_news:
        link_sessions.change(session.id, ended_at=max(now(), finished_at or now()))
    attempt.verdict = _verdict(session, results)
    if session.item_id is not None:
        attempt.verdict = update_mode.conclude(
            attempt, session.item_id, attempt.verdict, is_news=is_news
        )


def _look(attempt: Attempt, session: LinkSession) -> None:
    """An error that may pass is none while the person is at Plaid: the next look is soon, and
    counts for those who have asked for this one."""
    requests = session.look_requested
    try:
        link_looks.look(attempt.bank, session)
    except BankError as error:
        is_over = session.returned_at or session.ended_at or session.has_expired
        if is_over or not error.retryable:
            raise
        link_sessions.change(session.id, look_applied=requests)


def _next_look(session: LinkSession) -> datetime:
    moment = now()
    since_return = moment - session.returned_at if session.returned_at else None
    return moment + policy.link_look_delay(moment - session.created_at, since_return)


def _verdict(session: LinkSession, results: Sequence[LinkResult]) -> BankError | None:
    """Return why the pull fails, or None."""
    states = {result.state for result in results}
    if link_results.HELD in states:
        return _failure(ALREADY_CONNECTED)
    if link_results.LOST in states:
        return _failure(LOST)
    if results or session.finished_at:
        return None
    if session.exit_code and session.exit_message:
        return BankError(session.exit_code, session.exit_message, retryable=False)
    return _failure(CANCELED if session.was_left else EXPIRED)


def _failure(code: str) -> BankError:
    return BankError(code, SENTENCES[code], retryable=False)
