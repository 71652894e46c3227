"""The webhooks that Plaid has sent, as they came."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple, cast

from sqlalchemy import ForeignKey, String, Table, Text, bindparam, delete, exists, select
from sqlalchemy.orm import Mapped, aliased, mapped_column

from plaidapp.extensions import Base, db

from ..base.types import BigId, Moment, now
from ..base.upsert import insert_missing, insert_new
from ..base.writes import write
from ..connections.item import TABLE as ITEM


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


class WaitingWebhook(Base):
    """A delivery that is stored and not handled yet: a sync had locked what it would change."""

    __tablename__ = "waiting_webhook"

    webhook_id: Mapped[BigId] = mapped_column(
        ForeignKey("webhook.id", ondelete="CASCADE"), autoincrement=False
    )


def latest(limit: int, before: int | None = None) -> Sequence[Webhook]:
    """Return everybody's latest webhooks, newest first, of those with an id below `before`."""
    query = select(Webhook).order_by(Webhook.id.desc()).limit(limit)
    return db.session.scalars(query if before is None else query.where(Webhook.id < before)).all()


def by_id(webhook_id: int) -> Webhook | None:
    return db.session.get(Webhook, webhook_id)


def has_later(webhook: Webhook, codes: Collection[str]) -> bool:
    """Return True if a later webhook about the same Item has one of these codes."""
    later = Webhook.item_id == webhook.item_id, Webhook.id > webhook.id, Webhook.code.in_(codes)
    return bool(db.session.scalar(select(exists().where(*later))))


TABLE = cast(Table, Webhook.__table__)
WAITING = cast(Table, WaitingWebhook.__table__)


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
        TABLE,
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


def put_off(fingerprint: str) -> None:
    """Have a stored delivery handled later, after those of its Item that wait already."""
    webhook_id = select(Webhook.id).where(Webhook.token == fingerprint)
    insert_missing(WAITING, ["webhook_id"], webhook_id)


class NamedItem(NamedTuple):
    """The Item that a delivery names: as much of it as most handlers have to know.

    `some_wait` says that deliveries of it wait. Then a new one has to wait too: their order counts.
    """

    id: int
    user_id: int
    state: str
    update_status: str | None
    some_wait: bool


# Every webhook asks. Of the table alone, this takes half as long as of the model.
_IS_OF_ITEM = TABLE.c.id == WAITING.c.webhook_id, TABLE.c.item_id == ITEM.c.id
_NAMED = select(
    *(ITEM.c.id, ITEM.c.user_id, ITEM.c.state, ITEM.c.update_status),
    exists(select(WAITING.c.webhook_id).where(*_IS_OF_ITEM)),
).where(ITEM.c.plaid_item_id == bindparam("plaid_item_id"))


def named_item(plaid_item_id: str) -> NamedItem | None:
    found = db.session.execute(_NAMED, {"plaid_item_id": plaid_item_id}).first()
    return NamedItem._make(found) if found else None


def waiting(webhook_ids: Sequence[int]) -> Sequence[int]:
    """Return those of these deliveries that wait to be handled."""
    mine = WaitingWebhook.webhook_id.in_(webhook_ids)
    return db.session.scalars(select(WaitingWebhook.webhook_id).where(mine)).all()


def next_waiting(after: int) -> Webhook | None:
    """Return the next delivery that waits, by id, and lock it until the commit.

    Only the first one of an Item, and none that another process handles right now.
    """
    earlier, its_webhook = aliased(WaitingWebhook), aliased(Webhook)
    is_second = exists().where(
        earlier.webhook_id < WaitingWebhook.webhook_id,
        its_webhook.id == earlier.webhook_id,
        its_webhook.item_id == Webhook.item_id,
    )
    query = (
        select(Webhook)
        .join(WaitingWebhook, WaitingWebhook.webhook_id == Webhook.id)
        .where(WaitingWebhook.webhook_id > after, ~is_second)
        .order_by(WaitingWebhook.webhook_id)
        .limit(1)
        .with_for_update(of=WaitingWebhook, skip_locked=True)
    )
    return db.session.scalar(query)


def handled(webhook: Webhook) -> None:
    """Take a delivery from those that wait."""
    webhook.handled_at = now()
    give_up(webhook.id)


def give_up(webhook_id: int) -> None:
    """Take a delivery from those that wait, although it was not handled."""
    write(delete(WaitingWebhook).where(WaitingWebhook.webhook_id == webhook_id))


def delete_of_item(item_id: int) -> None:
    write(delete(Webhook).where(Webhook.item_id == item_id))
