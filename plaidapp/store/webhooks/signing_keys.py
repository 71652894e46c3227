"""Plaid's webhook keys, and which were asked for lately. Shared by all web processes."""

import json
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, String, Table, Text, delete, func, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp import policy
from plaidapp.extensions import Base, db

from ..base.types import Moment, now
from ..base.upsert import insert_new


class WebhookKey(Base):
    """`jwk` is null while Plaid is being asked, and empty when it knows no key of this id."""

    __tablename__ = "webhook_key"

    kid: Mapped[str] = mapped_column(String(128), primary_key=True)
    jwk: Mapped[str | None] = mapped_column(Text)
    asked_at: Mapped[datetime] = mapped_column(Moment)


def find(kid: str) -> dict[str, Any] | None:
    """The key if Plaid was asked recently enough, and an empty one if it knew none.

    None when that is not known: nobody has asked, or somebody is asking.
    """
    moment = now()
    known = (WebhookKey.jwk != "") & (WebhookKey.asked_at > moment - policy.KEY_TRUSTED)
    unknown = (WebhookKey.jwk == "") & (WebhookKey.asked_at > moment - policy.KEY_ASK_AGAIN)
    jwk = db.session.scalar(select(WebhookKey.jwk).where(WebhookKey.kid == kid, known | unknown))
    if jwk is None:
        return None
    return json.loads(jwk) if jwk else {}


def may_ask(kid: str) -> bool:
    """True for one caller a minute and key id, whichever process it is in; commits nothing."""
    moment = now()
    asked = db.session.scalar(
        select(func.count())
        .select_from(WebhookKey)
        .where(WebhookKey.asked_at > moment - policy.KEY_ASK_AGAIN)
    )
    if (asked or 0) >= policy.KEY_LOOKUPS:
        return False
    table = cast(Table, WebhookKey.__table__)
    if insert_new(table, {"kid": kid, "jwk": None, "asked_at": moment}):
        return True
    unanswered = func.coalesce(WebhookKey.jwk, "") == ""
    stale = or_(
        WebhookKey.asked_at < moment - policy.KEY_TRUSTED,
        unanswered & (WebhookKey.asked_at < moment - policy.KEY_ASK_AGAIN),
    )
    result = db.session.execute(
        update(WebhookKey)
        .where(WebhookKey.kid == kid, stale)
        .values(asked_at=moment)
        .execution_options(synchronize_session=False)
    )
    return cast(CursorResult[Any], result).rowcount == 1


def is_being_asked(kid: str) -> bool:
    """Whether a request that asks Plaid for this key is probably still waiting for the answer."""
    query = select(WebhookKey.kid).where(
        WebhookKey.kid == kid,
        WebhookKey.jwk.is_(None),
        WebhookKey.asked_at > now() - policy.KEY_ANSWER_LIMIT,
    )
    return db.session.scalar(query) is not None


def save(kid: str, jwk: dict[str, Any]) -> None:
    """An empty `jwk` says that Plaid knows no such key."""
    db.session.execute(
        update(WebhookKey)
        .where(WebhookKey.kid == kid)
        .values(jwk=json.dumps(jwk) if jwk else "")
        .execution_options(synchronize_session=False)
    )


def forget_unknown() -> None:
    """Drops what made-up ids left behind."""
    db.session.execute(
        delete(WebhookKey)
        .where(
            func.coalesce(WebhookKey.jwk, "") == "",
            WebhookKey.asked_at < now() - policy.KEY_FORGOTTEN,
        )
        .execution_options(synchronize_session=False)
    )
