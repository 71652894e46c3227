"""When a person may have a bank look for new transactions, which Plaid bills.

https://plaid.com/docs/api/products/transactions/#transactionsrefresh
"""

from datetime import datetime
from enum import Enum

from sqlalchemy import or_, update

from plaidapp import policy

from ..base.types import now
from ..base.writes import write
from .item import Item
from .item_states import COMPLETE, REPORTING


class Offer(Enum):
    """IMPOSSIBLE: the connection gets nothing new now, so asking would fail.

    REFUSED: the bank or the Plaid plan does not include it. LATER: it was used a moment ago.
    """

    NOW, LATER, REFUSED, IMPOSSIBLE = range(4)


def offer(item: Item) -> Offer:
    """Return whether the bank can be asked now. `item.refresh_after` says when it can be."""
    if item.state not in REPORTING or item.update_status != COMPLETE or item.sync_refusal:
        return Offer.IMPOSSIBLE
    if item.refresh_after is None or item.refresh_after <= now():
        return Offer.NOW
    return Offer.REFUSED if item.refresh_refusal else Offer.LATER


def claim(item_id: int) -> bool:
    """Begin the next wait, for one caller only. False if the present one is not over."""
    moment = now()
    is_over = or_(Item.refresh_after.is_(None), Item.refresh_after <= moment)
    wait = update(Item).where(Item.id == item_id, is_over)
    return write(wait.values(refresh_after=moment + policy.REFRESH_INTERVAL)) == 1


def asked(item_id: int, refusal: str | None) -> None:
    """Record that the bank was asked now, or the code with which it refuses to be asked."""
    moment = now()
    if refusal:
        values = {"refresh_after": moment + policy.REFRESH_REFUSED_FOR}
    else:
        values = {"refresh_after": moment + policy.REFRESH_INTERVAL, "refreshed_at": moment}
    write(update(Item).where(Item.id == item_id).values(refresh_refusal=refusal, **values))


def postpone(item_id: int, moment: datetime) -> None:
    """Plaid asks not to be called for this before `moment`."""
    earlier = or_(Item.refresh_after.is_(None), Item.refresh_after < moment)
    write(update(Item).where(Item.id == item_id, earlier).values(refresh_after=moment))
