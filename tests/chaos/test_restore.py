"""A backup that was made under load is restored, and catches up: only in the long form."""

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from plaidapp.metrics.processes import processes

from .bank_life import BankLife
from .conftest import Note, running_world
from .databases import Postgres
from .deliveries import Plaid
from .figures import LONG
from .judge import Judge
from .person import Person
from .world import ROOT, WORKERS, World, poll

BANKS = ("ins_109508", "ins_109509", "ins_109510", "ins_109511")
CHANGES = 40
"""What happens at the banks before the backup, and after it."""
OURS = ("web", *WORKERS, "clock")


@pytest.fixture(params=["postgresql", "sqlite"])
def own_world(request: pytest.FixtureRequest) -> Iterator[World]:
    with running_world(request.param, f"restore-{request.param}") as world:
        yield world


def command(world: World, *words: object) -> subprocess.Popen[str]:
    """Start a command of the operator's. PostgreSQL's programs are those of its server."""
    env = dict(world.env)
    if isinstance(world.database, Postgres):
        env["PATH"] = f"{world.database.programs}:{env['PATH']}"
    line = [sys.executable, "-m", "flask", "--app", "wsgi", *map(str, words)]
    return subprocess.Popen(line, cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True)


def done(process: subprocess.Popen[str]) -> None:
    _, told = process.communicate(timeout=120)
    assert process.returncode == 0, told


@pytest.mark.skipif(not LONG, reason="`make chaos` does it under load; tests/backup without")
def test_a_backup_of_a_busy_site_catches_up_exactly(own_world: World, note_own: Note) -> None:
    """The first restore is killed on its way: the database is then what it was."""
    world, file = own_world, own_world.directory / "saved"
    person, judge, plaid = Person(world.url, "anna"), Judge(world), Plaid(world)
    for bank in BANKS:
        person.connect_dynamic(bank)
    judge.converge(60)
    item_ids = list(range(1, len(BANKS) + 1))
    names = world.plaid_ids(item_ids)
    updates = [plaid.update_of(names[number % len(names)]) for number in range(200)]
    with BankLife(world, item_ids, per_second=10) as life, ThreadPoolExecutor(1) as pool:
        sending = pool.submit(plaid.deliver_all, updates, 10)
        life.wait_for(CHANGES)
        done(command(world, "backup", file))
        life.wait_for(2 * CHANGES)
        poll(sending.done, 60, "all webhooks")
    judge.converge(60)
    webhooks = judge.webhooks()

    for name in OURS:
        world.formation.kill(name, stay_down=True)
    poll(lambda: not any_alive(world), 60, "nobody at work")
    kill_at_work(world, command(world, "restore", "--replace", file))
    after_kill = judge.webhooks()
    done(command(world, "restore", "--replace", file))
    saved = judge.webhooks()
    for name in OURS:
        world.formation.bring_back(name)
    poll(world.is_ready, 30, "a ready app")
    took = judge.converge(120)

    note_own(
        f"{type(world.database).__name__}: a backup while {len(BANKS)} banks change, restored",
        "every row as at the bank",
        f"{judge.rows()} rows exact {took:.1f} s later, with {saved} of {webhooks} webhooks",
    )
    assert after_kill in (webhooks, saved)
    assert saved < webhooks
    plaid.close()
    person.close()


def any_alive(world: World) -> bool:
    return any(each.is_alive for each in processes(world.app.extensions["redis"]))


def kill_at_work(world: World, restore: subprocess.Popen[str]) -> None:
    """Kill it while it writes to the database, as far as one can see."""
    process = psutil.Process(restore.pid)

    def work() -> bool:
        if isinstance(world.database, Postgres):
            return bool(process.children())
        return any(world.directory.glob(".restore-*"))

    deadline = time.monotonic() + 60
    with restore:
        while not work():  # on SQLite, it takes a few milliseconds
            assert restore.poll() is None, "it ended before anybody saw it work"
            if time.monotonic() > deadline:
                restore.kill()
                pytest.fail("it did not begin within 60 s")
            time.sleep(0.0005)
        programs = process.children()
        restore.kill()
    psutil.wait_procs(programs, 60)
