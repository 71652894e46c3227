"""Who is logged in, and which rows are theirs."""

from collections.abc import Callable
from typing import TypeVar, cast

from flask import abort, request, session
from flask_login import current_user

from plaidapp.store import User
from plaidapp.store.people.login_sessions import Claim

Row = TypeVar("Row")
LARGEST_ID = 2**31 - 1  # a database raises an error for a larger one
LARGEST_BIG_ID = 2**63 - 1  # for tables with 64-bit ids
LOGIN = "login"
"""The key of the log-in session's token in Flask's session."""
LAST_MOMENT = "login_until"
"""The key of the moment after which the browser may forget the cookie, in seconds since 1970."""


def person() -> User:
    """Return the person who is logged in. Only for routes that require a log-in."""
    return cast(User, current_user)


def claim() -> Claim | None:
    """Return whose session the cookie says it is. Nothing has checked yet that this is true."""
    user_id, token = session.get("_user_id"), session.get(LOGIN)  # the first is Flask-Login's key
    return Claim.of(int(user_id), token) if user_id and token else None


def owned_or_404(
    find: Callable[[int, int], Row | None], row_id: int, largest: int = LARGEST_ID
) -> Row:
    """Return the row with this id. Abort with 404 if it is another person's or missing."""
    row = find(row_id, person().id) if row_id <= largest else None
    if row is None:
        abort(404)
    return row


def id_in_form(name: str, largest: int = LARGEST_ID) -> int | None:
    """Return the id in this field of the form; None if it is empty. Abort with 404 if it is none.

    Without this, an id that can't be read would count as no choice at all.
    """
    if not request.form.get(name):
        return None
    row_id = request.form.get(name, type=int)
    if row_id is None or not 0 < row_id <= largest:
        abort(404)
    return row_id
