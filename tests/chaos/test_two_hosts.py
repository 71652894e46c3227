"""Web, clock, PostgreSQL and Redis on one host, the workers on another; the link between fails."""

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute

from plaidapp.policy import HEARTBEAT_LIMIT
from plaidapp.store import Pull
from plaidapp.store.pulls import pulls
from tests import network_changes

from .bank_life import BankLife
from .databases import Postgres
from .endings import counting_endings
from .far_host import CUT, ONLY_FROM_FAR, ONLY_TO_FAR, SLOW, FarHost
from .figures import FULL, LONG, Figures
from .judge import Judge
from .person import Person
from .watch import Watch
from .world import WORKERS, World, poll

FAULTS = {
    "cut": CUT,
    "slow": SLOW,
    "one-way, to the workers": ONLY_TO_FAR,
    "one-way, from the workers": ONLY_FROM_FAR,
}
DONE_WITHIN = 60
"""Seconds from the end of the fault until what people have clicked meanwhile is done."""
SYNC = {"kind": "delay", "path": "/transactions/sync", "seconds": 0.5}
NEAR_WORKER = "worker-3"
PATIENCE = 180
LONG_SYNC = SYNC | {"seconds": HEARTBEAT_LIMIT.total_seconds() + 3}
"""When the bank answers, another worker has taken the pull over."""
BROKE_OFF = "The attempt broke off"
Note = Callable[[str, str, str], None]


@pytest.fixture
def far(world: World, postgres: Postgres) -> Iterator[FarHost]:
    """The host to which the workers have moved."""
    try:
        with network_changes.changing():
            host = FarHost()
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no network namespaces can be made here: {error}")
    try:
        move(world, postgres, host)
        yield host
    finally:
        for worker in WORKERS:
            world.formation.replace(worker, sys.executable, "worker.py")
        world.formation.replace("redis", *world.redis_command())
        world.formation.replace("sandbox", *world.bank_command())
        postgres.listen()
        with network_changes.changing():
            host.close()


def move(world: World, postgres: Postgres, host: FarHost) -> None:
    postgres.listen(host.near)
    world.formation.replace("redis", *world.redis_command(host.near))
    world.formation.replace("sandbox", *world.bank_command("0.0.0.0"))  # noqa: S104 the far host too
    env = {
        "DATABASE_URL": postgres.url_at(host.near),
        "REDIS_URL": f"redis://{host.near}:{world.redis_port}",
        "PLAID_BASE_URL": f"http://{host.bank}:{world.bank_url.rpartition(':')[2]}",
    }
    for worker in WORKERS:
        world.formation.replace(worker, *host.command(env, sys.executable, "worker.py"))
    poll(world.is_ready, 90, "a ready app")


def test_nothing_is_lost_when_the_link_to_the_workers_fails(
    world: World,
    people: list[Person],
    item_ids: list[int],
    judge: Judge,
    figures: Figures,
    far: FarHost,
    note: Note,
) -> None:
    judge.converge(90)
    waits = []
    with Watch(world, item_ids) as watch, counting_endings(world) as endings:
        for person, (name, seconds) in zip(people * 2, figures.link_faults, strict=False):
            with world.misbehaving(SYNC), BankLife(world, item_ids, per_second=1.5):
                poll(lambda: running(world), 30, "a pull that runs")
                hit = far.link.hit
                with far.link.failing(FAULTS[name]):
                    clicked, panel = click(person)
                    time.sleep(seconds)  # how long the fault lasts
                    if name != "slow":
                        assert "waiting to start" in panel
                        assert column(world, clicked, Pull.state) == pulls.QUEUED
                assert far.link.hit > hit
                waits.append(until_done(world, clicked))
            judge.converge(90)
        ended = endings()
    note(
        "; ".join(f"link {name} for {seconds} s" for name, seconds in figures.link_faults),
        "nothing is lost or doubled; a click says that it is waiting, and is done within a minute"
        " of the fault's end",
        f"exact; none of {len(ended)} pulls ended twice; clicks done after"
        f" {', '.join(f'{wait:.0f}' for wait in waits)} s",
    )
    assert not watch.faults
    assert set(ended.values()) == {1}
    if figures is FULL:
        assert max(waits) < DONE_WITHIN


@pytest.mark.skipif(not LONG, reason="`make chaos` waits until a worker counts as dead")
def test_a_pull_behind_a_cut_is_taken_over_and_ends_once(
    world: World,
    item_ids: list[int],
    judge: Judge,
    far: FarHost,
    note: Note,
) -> None:
    judge.converge(90)
    first, idle = WORKERS
    world.formation.kill(idle, stay_down=True)  # or Redis gives it the pull, behind the cut
    world.formation.add(NEAR_WORKER, sys.executable, "worker.py")
    world.formation.kill(NEAR_WORKER, stay_down=True)
    bank = BankLife(world, item_ids[:1])
    with Watch(world, item_ids) as watch, counting_endings(world) as endings:
        with world.misbehaving(LONG_SYNC):
            bank.change(world.token(item_ids[0]))
            pull_id = poll(lambda: running(world), 60, "a pull that runs")
            with far.link.failing(CUT):
                world.formation.bring_back(NEAR_WORKER)
                poll(lambda: column(world, pull_id, Pull.attempt) == 2, 60, "a second attempt")
                log = (world.directory / f"{first}.log").read_text()
                time.sleep(HEARTBEAT_LIMIT.total_seconds())  # the first has its answer by then
            until_done(world, pull_id)
        judge.converge(120)
        ended = endings()
    bank.close()
    world.formation.kill(NEAR_WORKER, stay_down=True)
    note(
        "a worker behind a cut loses its pull to another one, and goes on",
        "nothing lost, no pull ends twice",
        f"exact; none of {len(ended)} pulls ended twice; when the second worker began, the first"
        f" one was {'no longer' if BROKE_OFF in log else 'still'} at it",
    )
    assert not watch.faults
    assert set(ended.values()) == {1}


def click(person: Person) -> tuple[int, str]:
    """Return the id of the pull in the panel that answers, and what the panel says."""
    panel = person.click_transactions()
    assert panel.status_code == 200, panel.text
    [number] = set(re.findall(r'id="pull-(\d+)"', panel.text))
    return int(number), panel.text


def column(world: World, pull_id: int, what: InstrumentedAttribute[Any]) -> Any:
    with world.engine.connect() as connection:
        return connection.scalar(select(what).where(Pull.id == pull_id))


def running(world: World) -> int | None:
    """Return the id of a pull that runs, if there is one."""
    with world.engine.connect() as connection:
        return connection.scalar(select(Pull.id).where(Pull.state == pulls.RUNNING).limit(1))


def until_done(world: World, pull_id: int) -> float:
    """Return after how many seconds the pull is done."""
    began = time.monotonic()
    poll(lambda: column(world, pull_id, Pull.state) == pulls.DONE, PATIENCE, "the end of a pull")
    return time.monotonic() - began
