"""Two workers sync the same Item at the same time."""

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import func, select

from plaidapp.extensions import db
from plaidapp.jobs import queue
from plaidapp.store import Item, Pull, PullItem
from plaidapp.store.connections import sync_progress
from plaidapp.store.pulls import kinds, pulls

from .bank_life import BankLife
from .figures import Figures
from .judge import Judge
from .person import DYNAMIC, Person
from .world import World, poll

SYNC = "/transactions/sync"
Note = Callable[[str, str, str], None]


@pytest.mark.both_databases
def test_only_one_of_two_simultaneous_syncs_stores_rows(
    world: World, people: list[Person], judge: Judge, figures: Figures, note: Note
) -> None:
    """The bank answers so slowly that both start from the same cursor."""
    item_id = world.add_item(1, "ins_7", DYNAMIC, "anything")
    judge.converge(60)
    bank = BankLife(world, [item_id])
    token = world.token(item_id)
    winners, overlaps = [], 0
    with world.misbehaving({"path": SYNC, "kind": "delay", "seconds": 0.25}):
        for _ in range(figures.double_syncs):
            bank.change(token)
            pair = ring_two_pulls(world, item_id)
            overlaps += overlapped(world, pair)
            winners.append(count_winners(world, pair))
    bank.close()
    judge.converge(60)
    note(
        f"two workers sync the same Item at once, {figures.double_syncs} times",
        "exact, one wins each time",
        f"exact; one won {winners.count(1)} times; both ran at once {overlaps} times",
    )
    assert set(winners) == {1}


def ring_two_pulls(world: World, item_id: int) -> list[int]:
    """Enqueue two pulls of the same Item for the two free workers."""
    with world.app.app_context():
        item = db.session.get_one(Item, item_id)
        sync_progress.request_sync(item_id)
        pair = [pulls.add(item.user_id, kinds.TRANSACTIONS, items=[item]) for _ in range(2)]
        db.session.commit()
        for pull in pair:
            queue.ring(pull)
        return [pull.id for pull in pair]


def overlapped(world: World, pair: list[int]) -> bool:
    """Wait until both are done; True if each started before the other ended."""
    query = select(Pull.started_at, Pull.ended_at).where(
        Pull.id.in_(pair), Pull.state == pulls.DONE
    )

    def both_ended() -> list[tuple[datetime, datetime]] | None:
        with world.engine.connect() as connection:
            times = [(began, ended) for began, ended in connection.execute(query)]
        return times if len(times) == len(pair) else None

    (began, ended), (other_began, other_ended) = poll(both_ended, 60, "the end of both")
    return max(began, other_began) < min(ended, other_ended)


def count_winners(world: World, pair: list[int]) -> int:
    """Return how many of the two pulls stored rows."""
    with world.engine.connect() as connection:
        counts = PullItem.added + PullItem.modified + PullItem.removed
        query = select(func.count()).where(PullItem.pull_id.in_(pair), counts > 0)
        return connection.scalar(query) or 0
