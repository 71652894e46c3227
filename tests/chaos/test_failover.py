"""Redis fails over to a replica that lacks the last second."""

import time
from collections.abc import Callable

from .bank_life import BankLife
from .databases import Postgres
from .endings import counting_endings
from .figures import FULL, Figures
from .judge import Judge
from .person import Person
from .replica import replica_of
from .watch import Watch
from .world import World, poll

BEHIND = 1.0
"""Seconds."""
BACK_WITHIN = 30
SLOWLY = {"kind": "delay", "path": "/transactions/sync", "seconds": 0.5}
Note = Callable[[str, str, str], None]


def test_nothing_is_lost_when_redis_fails_over_to_a_replica_that_is_behind(
    world: World,
    people: list[Person],
    item_ids: list[int],
    judge: Judge,
    figures: Figures,
    postgres: Postgres,
    note: Note,
) -> None:
    """Pulls run and wait meanwhile. Then the first one is back, with what it had on disk."""
    judge.converge(90)
    lacks, longest = [], 0.0
    with Watch(world, item_ids) as watch, counting_endings(world) as endings:
        for number in range(figures.failovers):
            with replica_of(world) as replica:
                with world.misbehaving(SLOWLY), BankLife(world, item_ids, per_second=4) as bank:
                    bank.wait_for(2)
                    replica.stop_following()
                    panel = people[number % len(people)].click_transactions()
                    time.sleep(BEHIND)  # what it lacks
                    poll(judge.unfinished, 30, "a pull that runs or waits")
                    lacks.append(replica.lacks())
                    replica.take_over()
                longest = max(longest, judge.converge(90))
            longest = max(longest, judge.converge(90))
            assert panel.status_code == 200, panel.text
        ended = endings()
    note(
        f"Redis failed over {figures.failovers} times to a replica that lacked {BEHIND:.0f} s",
        f"nothing is lost or doubled; all is equal within {BACK_WITHIN} s",
        f"exact each time, after {longest:.1f} s at most; it lacked {min(lacks)} to {max(lacks)}"
        f" bytes of commands; none of {len(ended)} pulls ended twice",
    )
    assert min(lacks) > 0
    assert not watch.faults
    assert set(ended.values()) == {1}
    if figures is FULL:
        assert longest < BACK_WITHIN
