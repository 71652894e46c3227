"""How much there is of what, and since when it waits. Each query reads an index, or one row."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from plaidapp import policy
from plaidapp.extensions import db

from ..base.types import now
from ..connections.item import Item
from ..pulls.pulls import CLOCK, OPERATOR, PERSON, QUEUED, RUNNING, WEBHOOK, Pull
from ..webhooks.deliveries import WaitingWebhook, Webhook

UNATTENDED = (WEBHOOK, CLOCK)
ASKERS = (PERSON, WEBHOOK, CLOCK, OPERATOR)


@dataclass(frozen=True)
class Waiting:
    """Pulls that are due and that no worker has taken."""

    number: int
    """At most policy.MOST_WAITING, so that counting ends."""
    longest: float
    """Seconds for which the first of them has been due."""


def waiting() -> Mapping[str, Waiting]:
    """Return what waits, by who asked for it."""
    moment = now()
    return {asker: _waiting(asker, moment) for asker in ASKERS}


def _waiting(asker: str, moment: datetime) -> Waiting:
    due = Pull.state == QUEUED, Pull.asked_by == asker, Pull.run_after <= moment
    some = select(Pull.run_after).where(*due).limit(policy.MOST_WAITING).subquery()
    first = select(Pull.run_after).where(*due).order_by(Pull.run_after).limit(1).scalar_subquery()
    number, since = db.session.execute(
        select(select(func.count()).select_from(some).scalar_subquery(), first)
    ).one()
    return Waiting(number, (moment - since).total_seconds() if since else 0.0)


def running() -> int:
    """Return how many pulls workers are at."""
    return db.session.scalar(select(func.count()).where(Pull.state == RUNNING)) or 0


def clock_is_behind() -> float:
    """Return the seconds for which an Item has waited for the clock's look."""
    first = db.session.scalar(select(func.min(Item.next_look)))
    return max((now() - first).total_seconds(), 0.0) if first else 0.0


def waiting_webhooks() -> int:
    """Return how many webhooks are stored and answered, but not handled yet."""
    return db.session.scalar(select(func.count()).select_from(WaitingWebhook)) or 0


def last_webhook() -> datetime | None:
    return db.session.scalar(select(Webhook.received_at).order_by(Webhook.id.desc()).limit(1))
