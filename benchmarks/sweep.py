"""Does every Item get its turn in time when 100,000 are behind at once, and does a click go first?

Each tick of the clock stands for a second: the clock waits for the rest of it. No worker runs, so
the pulls pile up. The script fails if a promise of docs/policy.md is broken.
"""

import random
import sys
import time
from datetime import timedelta

import redis
from cryptography.fernet import Fernet
from flask_migrate import upgrade
from rq import Queue
from sqlalchemy import func, insert, select, update

from benchmarks import harness
from benchmarks.growth import private_redis
from config import Config
from plaidapp import create_app
from plaidapp.extensions import db
from plaidapp.jobs import clock, pull_job, queue
from plaidapp.store import Item, Pull, PullItem, User
from plaidapp.store.base.types import now
from plaidapp.store.connections import item_states
from plaidapp.store.people import users
from plaidapp.store.pulls import kinds, pulls

MINUTES = 10
PROMISED = 7 * 60
"""Seconds within which each of 100,000 Items gets its pull."""
LONGEST_TICK = 1.0
MANY_PULLS = 40_000

Fact = tuple[str, float, float]
"""What was measured, its value, and the most that it may be."""


def main() -> None:
    quick = harness.arguments(__doc__ or "").quick
    count = 3_000 if quick else 100_000
    rates: list[list[object]] = []
    facts: list[Fact] = []
    with private_redis() as connection:
        for kind in harness.DATABASES:
            with harness.database(kind) as url:
                app = create_app(_config(url))
                app.extensions["redis"] = connection
                with app.app_context():
                    upgrade()
                    seed(count)
                    rate, found = sweep(connection)
                    db.session.remove()
                    db.engine.dispose()
            rates.append([kind, *rate])
            facts += [(f"{kind}: {name}", value, most) for name, value, most in found]
    minutes = [str(number + 1) for number in range(MINUTES)]
    harness.table(f"Pulls added in each minute, {count:,} Items behind", ["", *minutes], rates)
    harness.table("What docs/policy.md promises", ["", "measured", "at most"], facts)
    broken = [name for name, value, most in facts if value > most]
    sys.exit(f"Broken: {broken}" if broken else 0)


def _config(url: str) -> Config:
    return Config(
        secret_keys=("for benchmarks only",),
        token_keys=(Fernet.generate_key().decode(),),
        database_url=url,
        redis_url="redis://localhost:1",
        plaid_client_id="local",
        plaid_secret="local",
        plaid_env="sandbox",
        plaid_url="http://localhost:1",
        log_level="ERROR",
    )


def seed(count: int) -> None:
    """Add Items that are behind. They became due one after another, in no order of their ids."""
    user = users.add("olive", "olive@example.com", "no hash")
    db.session.flush()
    moment = now()
    rows = [
        {
            "user_id": user.id,
            "plaid_item_id": str(number),
            "access_token": b"",
            "update_status": item_states.COMPLETE,
            "sync_requested": 1,
            "created_at": moment - timedelta(days=9),
            "next_look": moment - timedelta(milliseconds=wait),
        }
        for number, wait in enumerate(random.Random(5).sample(range(count), count))
    ]
    db.session.execute(insert(Item), rows)
    db.session.commit()


def sweep(connection: redis.Redis) -> tuple[list[int], list[Fact]]:
    """Tick for ten minutes. Return the pulls added in each, and what is promised."""
    connection.flushall()
    line = db.session.scalars(select(Item.id).order_by(Item.next_look)).all()
    added, seconds, passed = [0], [0.0], 0
    for number in range(MINUTES * 60):
        if number % 60 == 30:
            passed += click(connection)
        seconds.append(timed_tick(number))
        added.append(db.session.scalar(select(func.max(PullItem.id))) or 0)
        db.session.remove()
    turn_of_last = next(
        tick for tick, pulls_so_far in enumerate(added) if pulls_so_far == len(line)
    )
    asked = db.session.scalars(select(PullItem.item_id).order_by(PullItem.id)).all()
    db.session.rollback()
    facts = [
        ("seconds until the last Item has its pull", turn_of_last, PROMISED),
        ("Items that were asked out of turn", sum(map(int.__ne__, asked, line)), 0),
        ("jobs that a click had to let pass", passed, 0),
        ("longest tick, s", max(seconds), LONGEST_TICK),
        (f"longest tick with {MANY_PULLS:,} forgotten pulls, s", recover(connection), LONGEST_TICK),
    ]
    return [added[end] - added[end - 60] for end in range(60, len(added), 60)], facts


def timed_tick(number: int) -> float:
    begun = time.perf_counter()
    clock.tick(number)
    return time.perf_counter() - begun


def click(connection: redis.Redis) -> int:
    """Press a button. Return how many jobs are before its job, and take it from the queue."""
    pull = pulls.add(db.session.scalars(select(User.id)).one(), kinds.ACCOUNTS)
    queue.ring(pull)
    waiting = Queue(pull_job.QUEUE, connection=connection)
    place = waiting.get_job_ids().index(f"pull-{pull.id}-0")
    waiting.remove(f"pull-{pull.id}-0")
    db.session.execute(update(Pull).where(Pull.id == pull.id).values(state=pulls.DONE))
    db.session.commit()
    return place


def recover(connection: redis.Redis) -> float:
    """Lose Redis while many pulls wait, and return the longest of the next ticks in seconds."""
    connection.flushall()
    last = select(Pull.id).order_by(Pull.id.desc()).offset(MANY_PULLS).limit(1)
    too_many = db.session.scalar(last) or 0
    db.session.execute(update(Pull).where(Pull.id <= too_many).values(state=pulls.FAILED))
    db.session.execute(update(Pull).values(rung_at=None))
    db.session.commit()
    return max(timed_tick(number) for number in range(30))


if __name__ == "__main__":
    main()
