"""Polls: what has not changed is answered 204 from one look-up, before a person is even loaded.

The row that tells is found by the person whom the session names, so it is theirs or there is none;
then, and when there is news, the ordinary way follows: log-in, queries, templates.
"""

from collections.abc import Callable
from functools import wraps

from flask import Response, request
from flask_login import login_required

from plaidapp.auth.access import session_id
from plaidapp.htmx import is_htmx
from plaidapp.store.people import users

from .pulls import long_poll

Answer = str | Response
View = Callable[..., Answer]


def unless_ledger_is(view: View) -> View:
    """For lists of a person: nothing while `revision` is the one of their ledger."""
    for_a_person: View = login_required(view)

    @wraps(view)
    def poll() -> Answer:
        known, asking = request.args.get("revision"), session_id()
        revision = users.glance_at_ledger(asking) if known and asking else None
        if revision is not None and known == str(revision):
            return Response("", 204)
        return for_a_person()

    return poll


def unless_pull_is(view: View) -> View:
    """For a pull's panel: nothing, after a little wait, while `revision` is the one of the pull."""
    for_a_person: View = login_required(view)

    @wraps(view)
    def poll(pull_id: int) -> Answer:
        known, asking = request.args.get("revision"), session_id()
        if known and asking and is_htmx():
            again = long_poll.for_news(pull_id, asking, known)
            if again is not None:
                return Response("", 204, {"HX-Trigger": again} if again else None)
        return for_a_person(pull_id)

    return poll
