"""When Items are checked against their banks, and when they have been."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select, update

from plaidapp import policy
from plaidapp.extensions import db

from ..base.types import now
from ..base.writes import write
from . import balances, checks
from .accounts import Account
from .item import Item
from .item_states import COMPLETE, REPORTING


def is_full_due(item: Item) -> bool:
    """Return True if all rows are to be compared: once a week, and while something differs."""
    before = item.fully_checked_at
    is_old = before is None or before < now() - policy.FULL_CHECK_AFTER
    return is_old or checks.any_differ(item.id)


def is_old_balance(account: Account) -> bool:
    """Return True if the bank did report the stored balance, some time ago."""
    reported = balances.last_reported(account.id)
    is_old = account.updated_at < now() - policy.BALANCE_HOLDS
    return is_old and reported == account.balance


def done(item_id: int, *, is_full: bool) -> None:
    moment = now()
    values: dict[str, datetime | None] = {"checked_at": moment, "check_message": None}
    if is_full:
        values["fully_checked_at"] = moment
    write(update(Item).where(Item.id == item_id).values(**values))


def failed(item_id: int, sentence: str) -> None:
    """Record why a check could not be done. The result of the last one stays."""
    write(update(Item).where(Item.id == item_id).values(check_message=sentence))


def take_due(limit: int) -> Sequence[Item]:
    """Return Items that are to be checked now, those first that are due longest.

    Their next checks are at the same time of the next day. Items that can't be checked now are left
    out: their bank does not answer, or is still preparing.
    """
    moment = now()
    found = _locked(Item.check_at <= moment, limit)
    for item in found:
        late = moment - item.check_at if item.check_at else timedelta()
        days = late // policy.CHECK_INTERVAL + 1
        item.check_at = moment - late + days * policy.CHECK_INTERVAL
    db.session.flush()
    return [
        item for item in found if item.state in REPORTING and item.update_status in (None, COMPLETE)
    ]


def plan_new(limit: int) -> None:
    """Plan the first checks of Items that an older release has stored, spread over a day."""
    for item in _locked(Item.check_at.is_(None), limit):
        spread = random.random() * policy.CHECK_INTERVAL  # noqa: S311
        item.check_at = max(policy.first_check(item.created_at), now() + spread)
    db.session.flush()


def _locked(condition: ColumnElement[bool], limit: int) -> Sequence[Item]:
    """Several clocks share the work: each leaves out what another has locked."""
    query = select(Item).where(condition).order_by(Item.check_at, Item.id).limit(limit)
    query = query.with_for_update(key_share=True, skip_locked=True)
    return db.session.scalars(query, execution_options={"populate_existing": True}).all()
