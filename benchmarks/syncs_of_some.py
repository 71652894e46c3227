"""What the syncs of some Items cost: the clock finds them due, and workers do them.

Each Item is synced with nothing new. Then Plaid is asked when its bank last delivered data.
"""

import random
import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import func, select, update

from benchmarks.crowded_site import Site, log_position, rows_written, settle
from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.jobs.retention import prune
from plaidapp.store import Item, Pull, PullItem, Walk
from plaidapp.store.base.types import now
from plaidapp.store.health import walks
from plaidapp.store.pulls import kinds, pulls
from tests.e2e.processes import Running

PATIENCE = 120
"""Seconds for the syncs, and one more for each of them."""
LOOK_AGAIN = 0.5
"""Seconds between two looks whether they are done."""


class Cost(NamedTuple):
    """What some syncs cost, each: milliseconds, those of the workers' processors, calls to Plaid,
    rows written, bytes of the log (WAL).

    `redis` is how many bytes more than before Redis had at most, for all of them. `wrong` says what
    was lost or doubled.
    """

    ms: float
    busy: float
    calls: float
    rows: float
    log: float
    redis: int
    wrong: list[str]


def measure(site: Site, chosen: Sequence[int], workers: int) -> Cost:
    """Sync these Items."""
    _prune_tomorrow()
    moment = now()
    _make_due(chosen, moment)
    settle()
    calls, rows, log, memory = _calls(site), rows_written(), log_position(), _memory(site)
    most = memory
    with site.working(workers) as processes:
        started = _processor_seconds(processes)
        deadline = time.monotonic() + PATIENCE + len(chosen)
        while not _are_synced(chosen, moment):
            most = max(most, _memory(site))
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(chosen)} syncs")
            time.sleep(LOOK_AGAIN)
        busy = _processor_seconds(processes) - started
    settle()
    seconds, wrong = _judge(chosen, moment)
    return Cost(
        ms=1e3 * seconds / len(chosen),
        busy=1e3 * busy / len(chosen),
        calls=(_calls(site) - calls) / len(chosen),
        rows=(rows_written() - rows) / len(chosen),
        log=(log_position() - log) / len(chosen),
        redis=most - memory,
        wrong=wrong,
    )


def _prune_tomorrow() -> None:
    walks.due(tuple(prune.DELETES))  # makes them, if there are none
    db.session.execute(update(Walk).values(due_at=now() + timedelta(days=1)))
    db.session.commit()


def _make_due(chosen: Sequence[int], moment: datetime) -> None:
    """Have the last syncs of these Items be a day ago, one after the other in any order."""
    waits = random.Random(5).sample(range(len(chosen)), len(chosen))
    a_day_ago = moment - policy.SYNC_INTERVAL - timedelta(seconds=1)
    rows = [
        {
            "id": item_id,
            "synced_at": a_day_ago - timedelta(milliseconds=wait),
            "swept_at": None,
            "status_read_at": a_day_ago,
            "next_look": moment - timedelta(milliseconds=wait),
        }
        for item_id, wait in zip(chosen, waits, strict=True)
    ]
    db.session.execute(update(Item), rows)
    db.session.commit()


def _are_synced(chosen: Sequence[int], since: datetime) -> bool:
    behind = select(Item.id).where(Item.id.in_(chosen), Item.synced_at < since).limit(1)
    is_open = select(Pull.id).where(Pull.state.in_((pulls.QUEUED, pulls.RUNNING))).limit(1)
    done = db.session.scalar(is_open) is None and db.session.scalar(behind) is None
    db.session.rollback()
    return done


def _judge(chosen: Sequence[int], since: datetime) -> tuple[float, list[str]]:
    """Return the seconds from the first start to the last end, and what was lost or doubled."""
    mine = Pull.created_at >= since, PullItem.item_id.in_(chosen), Pull.state == pulls.DONE
    span = select(func.min(Pull.started_at), func.max(Pull.ended_at)).join(PullItem).where(*mine)
    first, last = db.session.execute(span).one()
    query = select(PullItem.item_id).join(Pull).where(*mine)
    problems: dict[str, int] = {}
    for kind in (kinds.TRANSACTIONS, kinds.STATUS):
        done = Counter(db.session.scalars(query.where(Pull.kind == kind)))
        problems[f"Items without a pull of {kind}"] = len(set(chosen) - done.keys())
        problems[f"Items with two pulls of {kind}"] = sum(count > 1 for count in done.values())
    refused = select(func.count()).select_from(PullItem).join(Pull)
    refused = refused.where(*mine, PullItem.refusal.is_not(None))
    problems["pulls that were refused"] = db.session.scalar(refused) or 0
    db.session.rollback()
    wrong = [f"{number} {what}" for what, number in problems.items() if number]
    return (last - first).total_seconds() if first and last else 0.0, wrong


def _calls(site: Site) -> int:
    return sum(record["calls"] for record in site.calls().values())


def _memory(site: Site) -> int:
    return int(site.redis.info("memory")["used_memory"])


def _processor_seconds(processes: Sequence[Running]) -> float:
    return sum(sum(each.cpu_times()[:2]) for process in processes for each in process.family())
