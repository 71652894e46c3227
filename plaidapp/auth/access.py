"""Who is asking, and is it theirs?"""

from collections.abc import Callable
from typing import TypeVar, cast

from flask import abort, session
from flask_login import current_user

from plaidapp.store import User

Row = TypeVar("Row")
LARGEST_ID = 2**31 - 1  # more than this, and the databases answer with an error
LARGEST_BIG_ID = 2**63 - 1  # of the tables whose ids are 64 bits


def person() -> User:
    """The person logged in. For routes behind `login_required`."""
    return cast(User, current_user)


def session_id() -> int | None:
    """Whom the session names. Nobody has looked them up yet: what it is used for must."""
    named = session.get("_user_id")  # Flask-Login's
    return int(named) if named else None


def owned_or_404(
    find: Callable[[int, int], Row | None], row_id: int, largest: int = LARGEST_ID
) -> Row:
    """The row with this id if it is the person's; a stranger's and a missing one look alike."""
    row = find(row_id, person().id) if row_id <= largest else None
    if row is None:
        abort(404)
    return row
