"""Log-in sessions: one row for each browser that is logged in.

The browser's cookie has a random token, and the row has its hash. Without an open row, a cookie is
worth nothing: deleting the row logs the browser out, and so do copies of its cookie.
"""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, Self

from sqlalchemy import (
    ForeignKey,
    String,
    and_,
    bindparam,
    delete,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp import extensions, policy
from plaidapp.extensions import Base, db

from ..base.types import Moment, now
from ..base.writes import write
from .users import User


class LoginSession(Base):
    """`browser` and `system` are names such as Firefox and macOS; empty if they are not known.

    `last_used_at` and `address` are of the last request that got something, also a poll. `kept` is
    the person's choice at the log-in. After `ends_at` the session is over. Every use moves it, up
    to a limit: see policy.session_end. A poll is not use. `device` is as in known_devices, and
    `confirmed_at` is when the person last proved who they are; both None in rows of an older
    version.
    """

    __tablename__ = "login_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    browser: Mapped[str] = mapped_column(String(32))
    system: Mapped[str] = mapped_column(String(32))
    address: Mapped[str] = mapped_column(String(45))
    kept: Mapped[bool]
    device: Mapped[str | None] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)
    last_used_at: Mapped[datetime] = mapped_column(Moment, default=now)
    ends_at: Mapped[datetime] = mapped_column(Moment, index=True)
    confirmed_at: Mapped[datetime | None] = mapped_column(Moment)


class Claim(NamedTuple):
    """What a cookie says: whose session it is, and the hash of the session's token."""

    user_id: int
    token_hash: str

    @classmethod
    def of(cls, user_id: int, token: str) -> Self:
        return cls(user_id, hashlib.sha256(token.encode()).hexdigest())

    def values(self) -> dict[str, Any]:
        """Return the values that IS_OPEN needs."""
        return self._asdict() | {"now": now()}


IS_OPEN = and_(
    LoginSession.token_hash == bindparam("token_hash"),
    LoginSession.user_id == bindparam("user_id"),
    LoginSession.ends_at > bindparam("now", type_=Moment),
)
"""The condition for a claim to be true now. See Claim.values."""


def add(
    user_id: int,
    browser: str,
    system: str,
    address: str,
    *,
    kept: bool,
    device: str | None = None,
) -> tuple[str, datetime]:
    """Begin a session. Return its token, which is not stored, and when it ends at the latest."""
    token, moment = secrets.token_urlsafe(32), now()
    _make_room(user_id)
    row = LoginSession(
        user_id=user_id,
        token_hash=Claim.of(user_id, token).token_hash,
        browser=browser,
        system=system,
        address=address,
        kept=kept,
        device=device,
        created_at=moment,
        last_used_at=moment,
        ends_at=policy.session_end(moment, moment, kept=kept),
        confirmed_at=moment,
    )
    db.session.add(row)
    return token, policy.last_session_end(moment, kept=kept)


def _make_room(user_id: int) -> None:
    """Delete the sessions that were used least recently, so that one more is not too many."""
    newest = select(LoginSession.id).where(LoginSession.user_id == user_id)
    newest = newest.order_by(LoginSession.last_used_at.desc(), LoginSession.id.desc())
    others = newest.offset(policy.SESSIONS_PER_PERSON - 1)
    write(delete(LoginSession).where(LoginSession.id.in_(others)))


class OpenSession(NamedTuple):
    """What a request has to know of its session."""

    id: int
    created_at: datetime
    last_used_at: datetime
    ends_at: datetime
    kept: bool
    confirmed_at: datetime | None

    @property
    def is_confirmed(self) -> bool:
        """Has the person proved a short while ago who they are?"""
        return self.confirmed_at is not None and (
            self.confirmed_at > now() - policy.CONFIRMATION_LASTS
        )

    def is_noted(self, *, is_use: bool) -> bool:
        """Return True if nothing need be stored again yet."""
        lately = now() - policy.SESSION_NOTED
        return self.last_used_at > lately and not (is_use and self.ends_at < self.end_after(lately))

    def end_after(self, used: datetime) -> datetime:
        """Return when the session ends if it was last used then."""
        return policy.session_end(self.created_at, used, kept=self.kept)


_FIND = (
    select(
        User,
        LoginSession.id,
        LoginSession.created_at,
        LoginSession.last_used_at,
        LoginSession.ends_at,
        LoginSession.kept,
        LoginSession.confirmed_at,
    )
    .join(LoginSession, LoginSession.user_id == User.id)
    .where(IS_OPEN, User.leaving_since.is_(None))  # a log-in may end while all is deleted
)


def find(claim: Claim) -> tuple[User, OpenSession] | None:
    """Return the person and the session if the claim is true now."""
    row = db.session.execute(_FIND, claim.values()).first()
    return (row[0], OpenSession(*row[1:])) if row else None


_SEEN = update(LoginSession).where(
    LoginSession.id == bindparam("session_id"),
    or_(
        LoginSession.last_used_at <= bindparam("lately", type_=Moment),
        LoginSession.ends_at < bindparam("least_end", type_=Moment),
    ),
)


def note(session: OpenSession, address: str, *, is_use: bool) -> None:
    """Store that the session is seen now, in a transaction of its own. Waits for nothing.

    Only use moves its end.
    """
    moment = now()
    lately = moment - policy.SESSION_NOTED
    seen: dict[str, Any] = {"last_used_at": moment, "address": address}
    end = {"ends_at": session.end_after(moment)} if is_use else {}
    extensions.jot(
        _SEEN.values(**seen, **end),
        session_id=session.id,
        lately=lately,
        least_end=session.end_after(lately) if is_use else session.created_at,
    )


def renew(session_id: int, user_id: int, *, confirmed: bool) -> str:
    """Give the session a new token and return it. Copies of the old cookie are refused from the
    commit on. If `confirmed`, also store that the person has just proved who they are."""
    token = secrets.token_urlsafe(32)
    values = {"token_hash": Claim.of(user_id, token).token_hash}
    proof = {"confirmed_at": now()} if confirmed else {}
    write(update(LoginSession).where(LoginSession.id == session_id).values(**values, **proof))
    return token


def of_person(user_id: int) -> Sequence[LoginSession]:
    """Return the open sessions, the one that was used last first."""
    query = select(LoginSession).where(
        LoginSession.user_id == user_id, LoginSession.ends_at > now()
    )
    return db.session.scalars(query.order_by(LoginSession.last_used_at.desc())).all()


def owned(session_id: int, user_id: int) -> LoginSession | None:
    """Return the session, or None if it is not this person's."""
    mine = LoginSession.id == session_id, LoginSession.user_id == user_id
    return db.session.scalar(select(LoginSession).where(*mine))


def end(claim: Claim) -> None:
    """Delete the session that a cookie names, also if it is over already."""
    named = LoginSession.token_hash == claim.token_hash, LoginSession.user_id == claim.user_id
    write(delete(LoginSession).where(*named))


def end_others(user_id: int, session_id: int | None) -> None:
    """Delete all sessions of the person but this one; all if it is None."""
    theirs = delete(LoginSession).where(LoginSession.user_id == user_id)
    write(theirs if session_id is None else theirs.where(LoginSession.id != session_id))


def delete_over(most: int) -> int:
    """Delete sessions that are over, at most so many. Return how many."""
    over = select(LoginSession.id).where(LoginSession.ends_at <= now()).limit(most)
    return write(delete(LoginSession).where(LoginSession.id.in_(over)))
