"""Sessions of Plaid's Hosted Link, and the connections that persons made in them.

A link may be opened several times; Plaid calls each of these a session too. Here, a session is one
link: whose it is, what it is for, and the pull that follows it.
"""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp.extensions import Base

from ..base.types import Moment, now

CONNECT, REPAIR, CHOOSE_ACCOUNTS = "connect", "repair", "choose_accounts"
"""What a session is for. The last two are for an Item that exists (update mode)."""
FOUND = "found"  # not looked at yet
HELD = "held"  # looks like a connection that the person has: they decide
APPROVED = "approved"  # to be exchanged
EXCHANGED = "exchanged"
LOST = "lost"  # it was not exchanged in time, or Plaid refused


class LinkSession(Base):
    """`item_id` is the Item of a session in update mode.

    `sealed_token` and `sealed_url` are the link token and Hosted Link's address, encrypted, and
    None once they are of no more use. `token_hash` is how a webhook's token finds the session.
    `returned_at` is when the browser came back, and `ended_at` is when it was over: completed,
    canceled or expired. `exit_code` and `exit_status` say where and why the person left Link;
    `link_session_id` and `request_id` are Plaid's, for its support.
    """

    __tablename__ = "link_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    item_id: Mapped[int | None] = mapped_column(ForeignKey("item.id", ondelete="CASCADE"))
    pull_id: Mapped[int | None] = mapped_column(ForeignKey("pull.id", ondelete="SET NULL"))
    purpose: Mapped[str] = mapped_column(String(16))
    token_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    sealed_token: Mapped[bytes | None] = mapped_column(LargeBinary)
    sealed_url: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)
    expires_at: Mapped[datetime | None] = mapped_column(Moment)
    returned_at: Mapped[datetime | None] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    exit_code: Mapped[str | None] = mapped_column(Text)
    exit_message: Mapped[str | None] = mapped_column(Text)
    exit_status: Mapped[str | None] = mapped_column(Text)
    link_session_id: Mapped[str | None] = mapped_column(Text)
    request_id: Mapped[str | None] = mapped_column(Text)


class LinkResult(Base):
    """One connection that the person made at Plaid.

    `token_hash` is the SHA-256 of its public token, so that it is exchanged once. `sealed_token` is
    the public token, encrypted, and None once it is exchanged or lost. `accounts` is what Link says
    of the chosen accounts (JSON of link_payloads.LinkedAccount). `like_item_id` is the connection
    that it looks like, and `item_id` is the Item that came of it.
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
    like_item_id: Mapped[int | None] = mapped_column(ForeignKey("item.id", ondelete="SET NULL"))
    item_id: Mapped[int | None] = mapped_column(ForeignKey("item.id", ondelete="SET NULL"))
    found_at: Mapped[datetime] = mapped_column(Moment, default=now)
