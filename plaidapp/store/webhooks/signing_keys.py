"""The keys that Plaid signs webhooks with. All web processes share them."""

import json
from datetime import datetime
from typing import Any, NamedTuple, cast

from sqlalchemy import String, Table, Text, delete, false, func, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp import policy
from plaidapp.extensions import Base, db

from ..base.types import Moment, now
from ..base.upsert import insert_new
from ..base.writes import write


class Sender(NamedTuple):
    """Who has asked for a key. `names_ours`: the webhook names an Item or session stored here.

    `name` is empty for strangers whose address is not known. They have no share of their own.
    """

    name: str
    names_ours: bool


class WebhookKey(Base):
    """`jwk` is null while Plaid is being asked, and empty if Plaid knows no key with this id.

    `sender` and `names_ours` say for whom Plaid was asked.
    """

    __tablename__ = "webhook_key"

    kid: Mapped[str] = mapped_column(String(128), primary_key=True)
    jwk: Mapped[str | None] = mapped_column(Text)
    asked_at: Mapped[datetime] = mapped_column(Moment)
    sender: Mapped[str | None] = mapped_column(String(100))
    names_ours: Mapped[bool] = mapped_column(default=False, server_default=false())


def find(kid: str) -> dict[str, Any] | None:
    """Return the key if Plaid was asked recently enough, or an empty dict if Plaid knew none.

    None if this is not known: nobody has asked, or a request is asking right now.
    """
    moment = now()
    known = (WebhookKey.jwk != "") & (WebhookKey.asked_at > moment - policy.KEY_TRUSTED)
    unknown = (WebhookKey.jwk == "") & (WebhookKey.asked_at > moment - policy.KEY_ASK_AGAIN)
    jwk = db.session.scalar(select(WebhookKey.jwk).where(WebhookKey.kid == kid, known | unknown))
    if jwk is None:
        return None
    return json.loads(jwk) if jwk else {}


def has_used_share(sender: Sender) -> bool:
    """Has Plaid just been asked for this sender, or for all of its kind, as often as it may be?"""
    recent = WebhookKey.asked_at > now() - policy.KEY_WINDOW
    same_kind = WebhookKey.names_ours.is_(sender.names_ours)
    query = select(WebhookKey.sender).where(recent, same_kind)
    asked_for = db.session.scalars(query).all()
    share = policy.KEY_SHARE if sender.name else policy.KEY_LOOKUPS
    return len(asked_for) >= policy.KEY_LOOKUPS or asked_for.count(sender.name) >= share


def may_ask(kid: str, sender: Sender) -> bool:
    """Return True to one caller per minute and key id, across all processes. Does not commit."""
    if has_used_share(sender):
        return False
    moment = now()
    asked = {"asked_at": moment, "sender": sender.name, "names_ours": sender.names_ours}
    table = cast(Table, WebhookKey.__table__)
    if insert_new(table, {"kid": kid, "jwk": None} | asked):
        return True
    unanswered = func.coalesce(WebhookKey.jwk, "") == ""
    stale = or_(
        WebhookKey.asked_at < moment - policy.KEY_TRUSTED,
        unanswered & (WebhookKey.asked_at < moment - policy.KEY_ASK_AGAIN),
    )
    statement = update(WebhookKey).where(WebhookKey.kid == kid, stale).values(asked)
    return write(statement) == 1


def is_being_asked(kid: str) -> bool:
    """Return True if another request is probably still asking Plaid for this key."""
    query = select(WebhookKey.kid).where(
        WebhookKey.kid == kid,
        WebhookKey.jwk.is_(None),
        WebhookKey.asked_at > now() - policy.KEY_ANSWER_LIMIT,
    )
    return db.session.scalar(query) is not None


def save(kid: str, jwk: dict[str, Any]) -> None:
    """Store Plaid's answer. An empty `jwk` means that Plaid knows no such key."""
    write(
        update(WebhookKey).where(WebhookKey.kid == kid).values(jwk=json.dumps(jwk) if jwk else "")
    )


def delete_unknown() -> None:
    """Delete key ids that Plaid does not know, after policy.KEY_FORGOTTEN."""
    is_unknown = func.coalesce(WebhookKey.jwk, "") == ""
    write(delete(WebhookKey).where(is_unknown, WebhookKey.asked_at < now() - policy.KEY_FORGOTTEN))
