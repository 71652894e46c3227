"""The pulls of a person who has everything deleted."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, exists, or_, select

from plaidapp.extensions import db

from ..base.types import now
from . import kinds, transitions
from .pulls import DISMISSED, QUEUED, RUNNING, Pull


def end_others(user_id: int, pull_id: int) -> None:
    """End the person's pulls but this one, and take them from their workers.

    One that is making a connection goes on until it has stored it: Plaid tells the token once.
    """
    connects = Pull.kind.in_(kinds.names(lambda kind: kind.connects))
    is_open = or_(Pull.state == QUEUED, and_(Pull.state == RUNNING, ~connects))
    others = Pull.user_id == user_id, Pull.id != pull_id, is_open
    transitions.change(*others, state=DISMISSED, ended_at=now())


def others_run(user_id: int, pull_id: int) -> bool:
    """Return True if a worker may still be making a connection."""
    others = Pull.user_id == user_id, Pull.id != pull_id, Pull.state == RUNNING
    return bool(db.session.scalar(select(exists().where(*others))))


def unfinished_links(user_id: int) -> Sequence[Pull]:
    """Return the pulls that may have begun to connect a test bank, and are over."""
    theirs = Pull.user_id == user_id, Pull.state != RUNNING, Pull.sealed.is_not(None)
    return db.session.scalars(select(Pull).where(*theirs).order_by(Pull.id)).all()


def is_needless(pull_id: int) -> ColumnElement[bool]:
    """Return the condition of the person's pulls that have no work to do, but for this one."""
    return and_(Pull.id != pull_id, Pull.state != RUNNING, Pull.sealed.is_(None))
