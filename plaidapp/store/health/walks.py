"""How far the clock has come on its nightly walks through all Items and all people."""

from collections.abc import Collection
from datetime import datetime
from typing import cast

from sqlalchemy import BigInteger, String, Table, select, update
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp.extensions import Base, db

from ..base.types import Moment, now
from ..base.upsert import insert_new
from ..base.writes import write


class Walk(Base):
    """`position` is the last id that it has come to. It goes on at `due_at`."""

    __tablename__ = "walk"

    name: Mapped[str] = mapped_column(String(16), primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger, default=0)
    due_at: Mapped[datetime] = mapped_column(Moment)


_EVERY = select(Walk.name, Walk.due_at)


def due(names: Collection[str]) -> list[str]:
    """Return those of the walks that are due. One that is not known yet begins now."""
    moment = now()
    planned = {walk.name: walk.due_at for walk in db.session.execute(_EVERY)}
    for name in set(names).difference(planned):
        insert_new(cast(Table, Walk.__table__), {"name": name, "position": 0, "due_at": moment})
    return [name for name in names if planned.get(name, moment) <= moment]


def lock(name: str) -> Walk | None:
    """Return the walk, locked until the commit; None if another process has it."""
    query = select(Walk).where(Walk.name == name).with_for_update(skip_locked=True)
    return db.session.scalar(query.execution_options(populate_existing=True))


def begin_all() -> None:
    """Begin all walks now, from the first id."""
    write(update(Walk).values(position=0, due_at=now()))
