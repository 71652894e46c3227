"""A day on which all Items are late, as after an outage: the clock gives each its turn.

Then the Items of the fullest hour are due at once, and two workers sync them: if that takes less
than an hour, a day is enough for all. Meanwhile the bank counts whether Plaid's limits are kept.
"""

from datetime import timedelta

from sqlalchemy import select, update

from benchmarks import harness
from benchmarks.crowded_site import LIMITS, Site
from benchmarks.syncs_of_some import measure
from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.jobs import clock
from plaidapp.store import Item
from plaidapp.store.base.types import now

HOUR = timedelta(hours=1)
EVENLY = 1.1
"""The fullest hour may have so many times the mean."""


def live(site: Site, size: int) -> list[str]:
    """Print how the day went, and return what went wrong."""
    hours = spread_out(size)
    mean, fullest = size / len(hours), max(hours, key=len)
    harness.table(
        "Items that have their turn in an hour of the day after all were late",
        ("hours", "fewest", "mean", "most"),
        [(len(hours), min(map(len, hours)), mean, len(fullest))],
    )
    cost = measure(site, fullest, 2)
    seconds = cost.ms * len(fullest) / 1e3
    harness.table(
        "The Items of the fullest hour, all due at once, two workers",
        ("Items", "s", "ms each", "calls to Plaid each", "rows written each"),
        [(len(fullest), seconds, cost.ms, cost.calls, cost.rows)],
    )
    broken = list(cost.wrong)
    if len(fullest) > EVENLY * mean:
        broken.append("the Items are not spread over a day")
    if seconds > HOUR.total_seconds():
        broken.append("an hour is too short for its Items")
    return broken + kept_limits(site)


def spread_out(size: int) -> list[list[int]]:
    """Have all Items be late, and the clock look at them. Return who has which hour from now on."""
    before = now() - 2 * policy.SYNC_INTERVAL
    late = {"synced_at": before, "swept_at": None, "next_look": before + policy.SYNC_INTERVAL}
    db.session.execute(update(Item).values(late))
    db.session.commit()
    begun = now()
    for _ in range(0, size, policy.NEGLECTED_BATCH):
        clock.ask_for_neglected()
    hours: list[list[int]] = [[] for _ in range(policy.SYNC_INTERVAL // HOUR)]
    for item_id, next_look in db.session.execute(select(Item.id, Item.next_look)):
        hour = (next_look - begun) // HOUR
        hours[min(max(hour, 0), len(hours) - 1)].append(item_id)  # too early or late shows
    db.session.rollback()
    return hours


def kept_limits(site: Site) -> list[str]:
    """Print the most calls in any minute until now, and return which limits they broke."""
    limits = policy.plaid_limits(LIMITS)
    rows, broken = [], []
    for path, counted in site.calls().items():
        limit = limits[path]
        most, of_item = counted["minute"], counted["minute_of_item"]
        rows.append((path, counted["calls"], most, limit.of_client, of_item, limit.of_item))
        if most > limit.of_client or of_item > (limit.of_item or of_item):
            broken.append(f"{path} was called too often in a minute")
    header = ("", "calls", "most in a minute", "limit", "most of an Item", "limit of an Item")
    harness.table("Plaid's limits", header, rows)
    return broken
