"""The connections that persons have made in Link, until each is exchanged for an Item."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

import msgspec
from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    LargeBinary,
    String,
    Table,
    Text,
    and_,
    exists,
    func,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp import sealing
from plaidapp.bank.link_payloads import LinkedAccount
from plaidapp.extensions import Base, db
from plaidapp.sealing import Sealed

from ..base.types import Moment, now
from ..base.upsert import insert_new
from ..base.writes import write
from .item import Item
from .link_sessions import LinkSession

FOUND = "found"  # not compared with the other connections yet
HELD = "held"  # looks like a connection that the person has: they decide
APPROVED = "approved"  # to be exchanged
EXCHANGED = "exchanged"
LOST = "lost"  # it was not exchanged in time, or Plaid refused
ALREADY_CONNECTED = "ALREADY_CONNECTED"
"""The error code of a pull with a result that is held."""


class LinkResult(Base):
    """One connection that the person made at Plaid.

    `token_hash` is the SHA-256 of its public token, so that it is exchanged once. `sealed_token` is
    the public token, encrypted, until it is exchanged or lost; Plaid accepts it until `expires_at`.
    `accounts` is what Link says of the chosen accounts (JSON of link_payloads.LinkedAccount).
    `like_item_id` is the connection that it looks like, and `item_id` is the Item that came of it.
    """

    __tablename__ = "link_result"

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(
        ForeignKey("link_session.id", ondelete="CASCADE"), index=True
    )
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    sealed_token: Mapped[bytes | None] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(String(16), default=FOUND)
    institution_id: Mapped[str | None] = mapped_column(Text)
    institution_name: Mapped[str | None] = mapped_column(Text)
    accounts: Mapped[str] = mapped_column(Text)
    like_item_id: Mapped[int | None] = mapped_column(
        ForeignKey("item.id", ondelete="SET NULL"), index=True
    )
    item_id: Mapped[int | None] = mapped_column(
        ForeignKey("item.id", ondelete="SET NULL"), index=True
    )
    found_at: Mapped[datetime] = mapped_column(Moment, default=now)
    expires_at: Mapped[datetime] = mapped_column(Moment)

    @property
    def linked_accounts(self) -> list[LinkedAccount]:
        return msgspec.json.decode(self.accounts, type=list[LinkedAccount])

    def token_of(self, user_id: int) -> Sealed:
        """Return the public token, of this person's session."""
        place = sealing.public_token(user_id, self.token_hash)
        return Sealed(place, self.sealed_token or b"")

    @property
    def may_be_exchanged(self) -> bool:
        return self.sealed_token is not None and self.expires_at > now()


class Found(NamedTuple):
    """A result as Plaid reports it. Both forms of the public token are safe to store."""

    token_hash: str
    sealed_token: bytes
    institution_id: str | None
    institution_name: str | None
    accounts: str
    expires_at: datetime


def save(session_id: int, found: Iterable[Found]) -> int:
    """Store the results that are new, and return how many there were."""
    table = cast(Table, LinkResult.__table__)
    first = {"session_id": session_id, "state": FOUND, "found_at": now()}
    return sum(insert_new(table, first | result._asdict()) for result in found)


def of_session(session_id: int) -> Sequence[LinkResult]:
    """Return all results of a session, oldest first, as they are now."""
    query = select(LinkResult).where(LinkResult.session_id == session_id).order_by(LinkResult.id)
    return db.session.scalars(query.execution_options(populate_existing=True)).all()


def is_unfinished(session_id: int) -> bool:
    """Return True if a result of this session is still to be exchanged or compared."""
    of_session = LinkResult.session_id == session_id, LinkResult.state.in_((FOUND, APPROVED))
    return bool(db.session.scalar(select(exists().where(*of_session))))


def may_be_exchanged(session_id: int) -> bool:
    """Return True if Plaid may still exchange a public token of this session."""
    good = LinkResult.sealed_token.is_not(None), LinkResult.expires_at > now()
    query = select(exists().where(LinkResult.session_id == session_id, *good))
    return bool(db.session.scalar(query))


def sessions_of_item(user_id: int, item_id: int, limit: int) -> Sequence[LinkSession]:
    """Return the person's latest sessions that made the Item or were for it, newest first."""
    made = exists().where(LinkResult.session_id == LinkSession.id, LinkResult.item_id == item_id)
    query = select(LinkSession).where(LinkSession.user_id == user_id)
    query = query.where(or_(LinkSession.item_id == item_id, made))
    return db.session.scalars(query.order_by(LinkSession.id.desc()).limit(limit)).all()


def change(result_id: int, was: str | None = None, **values: Any) -> None:
    """If `was` is given, change nothing of a result that is in another state by now: a worker that
    counted as dead may have gone on with it."""
    is_so = LinkResult.state == was if was else true()
    write(update(LinkResult).where(LinkResult.id == result_id, is_so).values(**values))


def approve_held(session_id: int, result_id: int | None) -> int:
    """Have the results exchanged that looked like another connection, or one of them.

    Return how many there were whose public token is still good.
    """
    in_time = LinkResult.expires_at > now()
    to_approve = update(LinkResult).where(_held(session_id, result_id), in_time)
    return write(to_approve.values(state=APPROVED))


def is_held(session_id: int, result_id: int | None) -> bool:
    """Return True if the person has not decided about this result, or about any."""
    return bool(db.session.scalar(select(exists().where(_held(session_id, result_id)))))


def _held(session_id: int, result_id: int | None) -> ColumnElement[bool]:
    chosen = (LinkResult.id == result_id) if result_id is not None else true()
    return and_(LinkResult.session_id == session_id, LinkResult.state == HELD, chosen)


def forget_item(item_id: int) -> None:
    """Delete what Link said of an Item. What remains keeps its token from being exchanged again."""
    nothing = {"accounts": "[]", "institution_id": None, "institution_name": None}
    write(update(LinkResult).where(LinkResult.item_id == item_id).values(**nothing))


def held(session_id: int) -> Sequence[LinkResult]:
    """Return the results that the person has to decide about, or had to."""
    query = select(LinkResult).where(LinkResult.session_id == session_id)
    return db.session.scalars(query.where(LinkResult.state == HELD).order_by(LinkResult.id)).all()


def forget_tokens(session_id: int) -> None:
    """Destroy the public tokens of a session that Plaid does not exchange anymore."""
    expired = LinkResult.session_id == session_id, LinkResult.expires_at <= now()
    unfinished = LinkResult.state.in_((FOUND, APPROVED))
    write(update(LinkResult).where(*expired, unfinished).values(state=LOST))
    write(update(LinkResult).where(*expired).values(sealed_token=None))


def count_items() -> int:
    """Return how many Items have ever been made with this app's keys, as far as it knows.

    Plaid's Trial plan counts an Item even after it is removed:
    https://plaid.com/docs/api/items/#itemremove
    """
    stored = db.session.scalar(select(func.count()).select_from(Item)) or 0
    gone = (LinkResult.state == EXCHANGED) & LinkResult.item_id.is_(None)
    deleted = select(func.count()).select_from(LinkResult).where(gone)
    return stored + (db.session.scalar(deleted) or 0)
