"""What polls read together with their log-in session: one row, without the session of the database.

See extensions.glance.
"""

from typing import TypeVarTuple

from sqlalchemy import Row, Select, select

from plaidapp import extensions

from . import time_zones
from .login_sessions import IS_OPEN, Claim, LoginSession
from .users import User, version_of

Columns = TypeVarTuple("Columns")


def glance(query: Select[*Columns], claim: Claim, **values: object) -> Row[*Columns] | None:
    """Read one row for a poll (see extensions.glance). `query` has the condition IS_OPEN."""
    return extensions.glance(query, **claim.values(), **values)


_VERSION = (
    select(User.ledger_revision, User.time_zone)
    .join(LoginSession, LoginSession.user_id == User.id)
    .where(IS_OPEN, User.leaving_since.is_(None))
)


def glance_at_ledger(claim: Claim) -> str | None:
    """Return `ledger_version` for a poll. None if the claim is not true, or the read failed."""
    row = glance(_VERSION, claim)
    return version_of(row.ledger_revision, time_zones.zone_of(row.time_zone)) if row else None
