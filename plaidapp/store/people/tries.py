"""How many tries to log in or sign up were made lately, while Redis is away.

Redis counts otherwise (plaidapp/auth/counting.py), by the same rules.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import String, Table, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp import policy
from plaidapp.extensions import Base, db

from ..base.types import Moment, now
from ..base.upsert import insert_new
from ..base.writes import write


@dataclass(frozen=True)
class Limit:
    """Something whose tries are counted: an account, a known device, an address.

    `key` names it without telling who it is. The first `free` tries cost nothing; each further one
    starts a delay. After `period` the count starts again: since the last try that counted if
    `renews`, else since the first.
    """

    key: str
    free: int
    period: timedelta
    renews: bool


@dataclass(frozen=True)
class Verdict:
    """What became of a try. `wait` is how long the next one has to wait; zero if it need not."""

    counted: bool
    wait: timedelta


class Tries(Base):
    """`blocked_until` is when the next try may be made. After `ends_at` the row means nothing."""

    __tablename__ = "tries"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    count: Mapped[int]
    blocked_until: Mapped[datetime] = mapped_column(Moment)
    ends_at: Mapped[datetime] = mapped_column(Moment, index=True)


TABLE = cast(Table, Tries.__table__)


def count(limits: Sequence[Limit]) -> Verdict:
    """Count a try for each of `limits`, unless one of them is blocked.

    Locks the rows until the caller's commit, in the order of their keys, so that of parallel tries
    each sees what the one before has counted.
    """
    moment = now()
    rows = [_locked(limit, moment) for limit in sorted(limits, key=lambda limit: limit.key)]
    blocked = max((row.blocked_until for row, _ in rows), default=moment)
    if blocked > moment:
        return Verdict(False, blocked - moment)
    for row, limit in rows:
        if row.ends_at <= moment:
            row.count = 0
        row.count += 1
        row.blocked_until = moment + policy.guess_delay(row.count - limit.free)
        if limit.renews or row.count == 1:
            row.ends_at = moment + limit.period
        row.ends_at = max(row.ends_at, row.blocked_until)
    db.session.flush()
    return Verdict(True, max((row.blocked_until for row, _ in rows), default=moment) - moment)


def _locked(limit: Limit, moment: datetime) -> tuple[Tries, Limit]:
    new = {"key": limit.key, "count": 0, "blocked_until": moment, "ends_at": moment}
    insert_new(TABLE, new)
    query = select(Tries).where(Tries.key == limit.key).with_for_update()
    row = db.session.scalar(query.execution_options(populate_existing=True))
    # The clock may have deleted an old row in between.
    return (row, limit) if row else _locked(limit, moment)


def forget(key: str) -> None:
    """Start the count again, after a success."""
    write(delete(Tries).where(Tries.key == key))


def take_back(key: str) -> None:
    """Take back one try, and the delay that it started."""
    counted = update(Tries).where(Tries.key == key, Tries.count > 0)
    write(counted.values(count=Tries.count - 1, blocked_until=now()))


def delete_ended(limit: int) -> None:
    """Delete rows that mean nothing anymore, `limit` at most."""
    ended = select(Tries.key).where(Tries.ends_at <= now()).limit(limit)
    write(delete(Tries).where(Tries.key.in_(ended)))
