"""What a poll reads of a pull: one row, and only if the log-in session is still open."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, exists, select

from ..people import login_sessions, session_glances
from ..people.login_sessions import Claim
from .pulls import QUEUED, RUNNING, Pull


class Glimpse(NamedTuple):
    """What a poll needs to know of a pull."""

    state: str
    revision: int
    created_at: datetime

    @property
    def is_over(self) -> bool:
        return self.state not in (QUEUED, RUNNING)


_GLANCE = select(Pull.state, Pull.revision, Pull.created_at).where(
    Pull.id == bindparam("pull_id"),
    Pull.user_id == bindparam("user_id"),
    exists().where(login_sessions.IS_OPEN),
)


def glance(pull_id: int, claim: Claim) -> Glimpse | None:
    """For polls, see extensions.glance. None if the claim is not true, or the pull not theirs."""
    row = session_glances.glance(_GLANCE, claim, pull_id=pull_id)
    return Glimpse(*row) if row else None
