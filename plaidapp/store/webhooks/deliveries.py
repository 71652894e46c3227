"""The webhooks that Plaid has sent, as they came."""

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import ForeignKey, String, Table, Text, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp.extensions import Base, db

from ..base.types import BigId, Moment, now
from ..base.upsert import insert_new
from ..base.writes import write


class Webhook(Base):
    """One delivery. `token` is the fingerprint of its signature (bank.webhook_signatures).

    When Plaid repeats a delivery that it believes lost, the signature is the same. Bodies do not
    identify a delivery: two events may have equal ones. `item_id` is the Item that it names, and
    `session_id` the session of Link. `handled_at` is null for types of webhook that
    the app does not know.
    """

    __tablename__ = "webhook"

    id: Mapped[BigId]
    token: Mapped[str] = mapped_column(String(64), unique=True)
    type: Mapped[str | None] = mapped_column(Text)
    code: Mapped[str | None] = mapped_column(Text)
    plaid_item_id: Mapped[str | None] = mapped_column(Text)
    item_id: Mapped[int | None] = mapped_column(
        ForeignKey("item.id", ondelete="CASCADE"), index=True
    )
    session_id: Mapped[int | None] = mapped_column(
        ForeignKey("link_session.id", ondelete="CASCADE"), index=True
    )
    body: Mapped[str] = mapped_column(Text)
    received_at: Mapped[datetime] = mapped_column(Moment, default=now)
    handled_at: Mapped[datetime | None] = mapped_column(Moment)


def of_item(item_id: int, limit: int) -> Sequence[Webhook]:
    """Return the Item's latest webhooks, newest first."""
    query = select(Webhook).where(Webhook.item_id == item_id).order_by(Webhook.id.desc())
    return db.session.scalars(query.limit(limit)).all()


def save(
    fingerprint: str,
    body: str,
    *,
    type: str | None,
    code: str | None,
    plaid_item_id: str | None,
    item_id: int | None,
    session_id: int | None,
    handled: bool,
) -> bool:
    """Store a delivery. False if the same one is stored already."""
    moment = now()
    return insert_new(
        cast(Table, Webhook.__table__),
        {
            "token": fingerprint,
            "type": type,
            "code": code,
            "plaid_item_id": plaid_item_id,
            "item_id": item_id,
            "session_id": session_id,
            "body": body,
            "received_at": moment,
            "handled_at": moment if handled else None,
        },
    )


def delete_of_item(item_id: int) -> None:
    write(delete(Webhook).where(Webhook.item_id == item_id))
