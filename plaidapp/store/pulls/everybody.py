"""The latest pulls of all people, for the operator."""

from typing import Any

from sqlalchemy import Select, func, select

from ..people.users import User
from .pulls import FAILED, Pull, PullItem


def latest(limit: int, *, failed: bool) -> Select[*tuple[Any, ...]]:
    """One row for each of the latest pulls, newest first; only of those that failed, if `failed`.

    `code` is the pull's error, or one of its connections'.
    """
    at_items = select(func.min(PullItem.error_code)).where(PullItem.pull_id == Pull.id)
    query = select(
        Pull.id,
        User.username.label("person"),
        Pull.kind,
        Pull.state,
        Pull.asked_by,
        Pull.attempt,
        func.coalesce(Pull.error_code, at_items.scalar_subquery()).label("code"),
        Pull.created_at.label("created"),
        Pull.ended_at.label("ended"),
    ).join(User, User.id == Pull.user_id)
    if failed:  # in the order of an index: there may be few of them among millions
        query = query.where(Pull.state == FAILED).order_by(Pull.run_after.desc(), Pull.id.desc())
    else:
        query = query.order_by(Pull.id.desc())
    return query.limit(limit)
