"""After SIGKILLs at random moments to random processes, everything stored equals the bank's."""

import random
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import requests

from .bank_life import BankLife
from .figures import FULL, Figures
from .judge import Judge
from .person import Person
from .watch import Watch
from .world import WORKERS, World

ROLES = (*WORKERS, "web", "web's child", "clock")
CLICKS = ("/finance/pulls/accounts", "/finance/pulls/transactions")
RESUMES = 30
"""Seconds."""
# This keeps each worker busy about half of the time, so that many kills interrupt work. With busier
# workers, `longest_stall` would measure the queue's length, not how soon work resumes.
SLOWLY = {"kind": "delay", "path": "/transactions/sync", "seconds": 0.5}
CLICK_EVERY = 4  # kills


@pytest.mark.both_databases
def test_nothing_is_lost_when_processes_are_killed(
    world: World,
    people: list[Person],
    item_ids: list[int],
    judge: Judge,
    figures: Figures,
    note: Callable[[str, str, str], None],
) -> None:
    dice = random.Random(figures.kills)
    more = dice.choices(ROLES, k=figures.kills - len(ROLES))
    answered: set[int] = set()
    webhooks_before = judge.webhooks()
    with Watch(world, item_ids) as watch, world.misbehaving(SLOWLY):
        with BankLife(world, item_ids, per_second=1.5) as bank:
            for number, role in enumerate([*dice.sample(ROLES, len(ROLES)), *more]):
                kill(world, role)
                time.sleep(dice.uniform(*figures.kill_pause))  # the pace of the load
                if number % CLICK_EVERY == 0:
                    answered |= click(dice.choice(people), dice.choice(CLICKS))
        took = judge.converge(90)
    note(
        f"{figures.kills} random SIGKILLs, {bank.changes} changes at the bank,"
        f" {judge.webhooks() - webhooks_before} webhooks, {len(answered)} pulls by click",
        "no row lost or stored twice, every Item exact; work resumes within 30 s",
        f"exact ({judge.rows()} rows, {watch.cursors_seen} cursors checked meanwhile); longest"
        f" stall of a pull {watch.longest_stall:.1f} s; all done {took:.1f} s after the last kill",
    )
    assert not watch.faults
    assert answered <= judge.clicks()  # every click that was answered is stored
    if figures is FULL:
        assert watch.longest_stall < RESUMES


def kill(world: World, role: str) -> None:
    if role == "web's child":
        world.formation.kill_child("web")
    else:
        world.formation.kill(role)


def click(person: Person, button: str) -> set[int]:
    """Return the pull that answers the click, if one does; the web process may be down."""
    today = datetime.now(UTC).date()
    days = {"start_date": str(today - timedelta(days=90)), "end_date": str(today)}
    try:
        answer = person.click(button, **days)
    except requests.RequestException:
        return set()
    assert answer.status_code in (200, 429), answer.text  # Plaid bills balances: there is a limit
    return {int(number) for number in re.findall(r'id="pull-(\d+)"', answer.text)}
