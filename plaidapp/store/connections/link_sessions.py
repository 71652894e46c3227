"""Sessions of Plaid's Hosted Link: whose each one is, what it is for, and how it goes.

A link may be opened several times; Plaid calls each of these a session too. Here, a session is one
link, and a pull follows it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, String, Text, delete, func, literal, select, update
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp import policy, sealing
from plaidapp.extensions import Base, db
from plaidapp.sealing import Sealed

from ..base.types import Moment, now
from ..base.writes import write

CONNECT, REPAIR, CHOOSE_ACCOUNTS = "connect", "repair", "choose_accounts"
"""What a session is for. The last two are for an Item that exists (update mode)."""
NOTHING = {"sealed_token": None, "sealed_url": None, "look_after": None}
"""What is left of a link that is of no more use."""


class LinkSession(Base):
    """`item_id` is the Item of a session in update mode.

    `sealed_token` and `sealed_url` are the link token and Hosted Link's address, encrypted, and
    None once they are of no more use. `token_hash` is how a webhook's token finds the session.

    `returned_at` is when the browser came back. `finished_at` is when the person finished update
    mode, and `ended_at` is when the pull stopped waiting: for that, for a new connection, because
    they left, or because the link expired. `exit_code`, `exit_message` and `exit_status` say why
    and where they left Link; `link_session_id` and `request_id` are Plaid's, for its support.

    `look_requested` counts the requests to look what has happened at Plaid, and `look_applied` is
    the count as of the last look, at `looked_at`. `look_after` is when the clock makes sure that
    somebody looks: a link may be used again after its pull has ended.
    """

    __tablename__ = "link_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    item_id: Mapped[int | None] = mapped_column(
        ForeignKey("item.id", ondelete="CASCADE"), index=True
    )
    pull_id: Mapped[int | None] = mapped_column(
        ForeignKey("pull.id", ondelete="SET NULL"), index=True
    )
    purpose: Mapped[str] = mapped_column(String(16))
    token_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    sealed_token: Mapped[bytes | None] = mapped_column(LargeBinary)
    sealed_url: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)
    expires_at: Mapped[datetime | None] = mapped_column(Moment)
    returned_at: Mapped[datetime | None] = mapped_column(Moment)
    finished_at: Mapped[datetime | None] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    look_requested: Mapped[int] = mapped_column(default=0)
    look_applied: Mapped[int] = mapped_column(default=0)
    looked_at: Mapped[datetime | None] = mapped_column(Moment)
    look_after: Mapped[datetime | None] = mapped_column(Moment, index=True)
    exit_code: Mapped[str | None] = mapped_column(Text)
    exit_message: Mapped[str | None] = mapped_column(Text)
    exit_status: Mapped[str | None] = mapped_column(Text)
    link_session_id: Mapped[str | None] = mapped_column(Text)
    request_id: Mapped[str | None] = mapped_column(Text)

    @property
    def token(self) -> Sealed:
        place = sealing.link_token(self.user_id, self.token_hash or "")
        return Sealed(place, self.sealed_token or b"")

    @property
    def address(self) -> Sealed:
        """Where Hosted Link is."""
        place = sealing.link_address(self.user_id, self.token_hash or "")
        return Sealed(place, self.sealed_url or b"")

    @property
    def is_behind(self) -> bool:
        return self.look_applied < self.look_requested

    @property
    def is_open(self) -> bool:
        """The link can still be used."""
        return self.sealed_url is not None and not self.has_expired

    @property
    def has_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= now()

    @property
    def was_left(self) -> bool:
        """The person left Link and came back. If they did not come back, they may go on there."""
        has_exit = self.exit_code is not None or self.exit_status is not None
        return has_exit and (self.returned_at is not None or self.has_expired)


def add(user_id: int, purpose: str, item_id: int | None = None) -> LinkSession:
    session = LinkSession(user_id=user_id, purpose=purpose, item_id=item_id)
    db.session.add(session)
    db.session.flush()
    return session


def owned(session_id: int, user_id: int) -> LinkSession | None:
    """None too if the link could not be made."""
    query = select(LinkSession).where(LinkSession.id == session_id, LinkSession.user_id == user_id)
    return db.session.scalar(query.where(LinkSession.pull_id.is_not(None)))


def of_pull(pull_id: int) -> LinkSession | None:
    query = select(LinkSession).where(LinkSession.pull_id == pull_id)
    return db.session.scalar(query.execution_options(populate_existing=True))


def of_token(token_hash: str) -> LinkSession | None:
    """None too if no pull follows it, because the person has had everything deleted."""
    named = LinkSession.token_hash == token_hash, LinkSession.pull_id.is_not(None)
    return db.session.scalar(select(LinkSession).where(*named))


def lock(session_id: int) -> LinkSession:
    """Lock the session until the commit and return it as it is now."""
    query = select(LinkSession).where(LinkSession.id == session_id).with_for_update(key_share=True)
    return db.session.scalars(query.execution_options(populate_existing=True)).one()


def lock_and_compare(pull_id: int) -> bool:
    """Lock the pull's session. Return True if somebody has asked to look since the last look."""
    session = of_pull(pull_id)
    return session is not None and lock(session.id).is_behind


def request_look(session_id: int) -> None:
    """Count one more request. In SQL, so that two at the same time count as two. It locks."""
    change(session_id, look_requested=LinkSession.look_requested + 1)


def note_return(session_id: int) -> None:
    """Store when the browser first came back."""
    first = LinkSession.id == session_id, LinkSession.returned_at.is_(None)
    write(update(LinkSession).where(*first).values(returned_at=now()))


def change(session_id: int, **values: Any) -> None:
    write(update(LinkSession).where(LinkSession.id == session_id).values(**values))


def forget(session_id: int) -> None:
    """Destroy the token and the address: nothing more can come of the link."""
    change(session_id, **NOTHING)


def due(limit: int) -> Sequence[LinkSession]:
    """Return sessions that the clock has to see to, locked. Others' clocks leave them out."""
    is_due = LinkSession.look_after <= now(), LinkSession.pull_id.is_not(None)
    query = select(LinkSession).where(*is_due)
    query = query.order_by(LinkSession.look_after).limit(limit)
    return db.session.scalars(
        query.with_for_update(key_share=True, skip_locked=True),
        execution_options={"populate_existing": True},
    ).all()


def to_look_at(user_id: int) -> Sequence[LinkSession]:
    """Return the person's sessions that somebody has asked to look at."""
    query = select(LinkSession).where(
        LinkSession.user_id == user_id,
        LinkSession.sealed_token.is_not(None),
        LinkSession.look_applied < LinkSession.look_requested,
    )
    return db.session.scalars(query.order_by(LinkSession.id)).all()


def look_later() -> datetime:
    """Return when the clock sees to a session next."""
    return now() + policy.LINK_UNATTENDED_INTERVAL


def end_of_item(item_id: int) -> None:
    """End the sessions in which the person logs in to this Item again: they disconnected it."""
    ended_at = func.coalesce(LinkSession.ended_at, literal(now(), Moment))
    end = update(LinkSession).where(LinkSession.item_id == item_id)
    write(end.values(ended_at=ended_at, **NOTHING))


def delete_of_item(item_id: int) -> None:
    write(delete(LinkSession).where(LinkSession.item_id == item_id))
