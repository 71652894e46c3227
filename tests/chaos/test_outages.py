"""Outages of Redis and of the database."""

import random
import time
from collections.abc import Callable

from .bank_life import BankLife
from .databases import Postgres
from .deliveries import Outcome, Plaid, stored_hashes
from .endings import counting_endings
from .figures import FULL, Figures
from .judge import Judge
from .person import Person
from .world import World, poll

BACK_WITHIN = 30
ANSWERED_WITHIN = 3
SLOWLY = {"kind": "delay", "path": "/transactions/sync", "seconds": 0.5}
Note = Callable[[str, str, str], None]


def test_nothing_is_lost_when_redis_dies(
    world: World,
    people: list[Person],
    item_ids: list[int],
    judge: Judge,
    figures: Figures,
    note: Note,
) -> None:
    dice = random.Random(figures.redis_kills)
    slowest_click = slowest_page = longest = 0.0
    with counting_endings(world) as endings:
        for number in range(figures.redis_kills):
            person = dice.choice(people)
            with world.misbehaving(SLOWLY), BankLife(world, item_ids, per_second=4) as bank:
                bank.wait_for(2)
                poll(judge.unfinished, 30, "a pull that runs or waits")
                world.kill_redis(wiped=number % 2 == 0)
                clicked, panel = timed(person.click_transactions)
                looked, page = timed(person.look)
                assert panel.status_code == page.status_code == 200
                assert "waiting for the queue" in panel.text
                slowest_click, slowest_page = max(slowest_click, clicked), max(slowest_page, looked)
                time.sleep(dice.uniform(*figures.redis_away))  # how long it is away
            world.formation.bring_back("redis")
            poll(world.redis_answers, 20, "redis-server")
            longest = max(longest, judge.converge(90))
        ended = endings()
    note(
        f"redis-server killed {figures.redis_kills} times, half of them wiped",
        "converges within 30 s of its return; pages answer; a click is stored within 3 s and its"
        " panel says that it waits for the queue",
        f"exact each time, after {longest:.1f} s at most; slowest page {slowest_page:.2f} s,"
        f" slowest click {slowest_click:.2f} s, each panel says that it waits; none of {len(ended)}"
        " pulls ended twice",
    )
    assert set(ended.values()) == {1}
    if figures is FULL:
        assert longest < BACK_WITHIN
        assert max(slowest_click, slowest_page) < ANSWERED_WITHIN


def timed(call: Callable[[], object]) -> tuple[float, object]:
    began = time.monotonic()
    answer = call()
    return time.monotonic() - began, answer


def test_an_outage_of_the_database_loses_nothing(
    world: World,
    item_ids: list[int],
    judge: Judge,
    figures: Figures,
    postgres: Postgres,
    plaid: Plaid,
    note: Note,
) -> None:
    judge.converge(60)
    names = world.plaid_ids(item_ids)
    with BankLife(world, item_ids, per_second=1):
        postgres.kill()
        while_dead = deliver(names, plaid, figures.database_away)
        postgres.bring_back()
        postgres.freeze()
        while_frozen = deliver(names, plaid, figures.database_away / 6, timeout=3)
        postgres.thaw()
    took = judge.converge(90)
    outcomes = while_dead + while_frozen
    accepted = {one.delivery.token_hash for one in outcomes if one.status == 200}
    lost = accepted - stored_hashes(world)
    statuses = [outcome.status for outcome in while_dead]
    note(
        f"PostgreSQL dead for {figures.database_away:.0f} s, then frozen for"
        f" {figures.database_away / 6:.0f} s",
        "webhooks get a 503, or a 200 only if they are stored; converges",
        f"{statuses.count(503)} of {len(statuses)} answered 503 while dead, {len(accepted)} × 200"
        f" in all, {len(lost)} of them not stored; exact {took:.1f} s after the return",
    )
    assert set(statuses) == {503}
    assert not lost


def deliver(names: list[str], plaid: Plaid, seconds: float, timeout: float = 10) -> list[Outcome]:
    until = time.monotonic() + seconds
    outcomes = []
    while time.monotonic() < until:
        outcomes += plaid.deliver_all(map(plaid.update_of, names), per_second=10, timeout=timeout)
    return outcomes
