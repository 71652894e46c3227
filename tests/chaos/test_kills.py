"""SIGKILL at any moment, anywhere: the ledger stays what the bank holds."""

import random
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
# A worker is at work about half of the time, so that many kills meet it there; more than that, and
# what is measured is how long a queue grows, not how soon work resumes.
SLOWLY = {"kind": "delay", "path": "/transactions/sync", "seconds": 0.5}
CLICK_EVERY = 4  # kills


@pytest.mark.both_databases
def test_nothing_is_lost_whatever_dies(
    world: World,
    people: list[Person],
    item_ids: list[int],
    judge: Judge,
    figures: Figures,
    note: Callable[[str, str, str], None],
) -> None:
    dice = random.Random(figures.kills)
    clicks, before, kept = 0, judge.clicks(), judge.webhooks()
    with Watch(world) as watch, world.misbehaving(SLOWLY):
        with BankLife(world, item_ids, per_second=1.5) as bank:
            for number in range(figures.kills):
                kill(world, dice.choice(ROLES))
                time.sleep(dice.uniform(*figures.kill_pause))  # the pace of the load
                if number % CLICK_EVERY == 0:
                    clicks += click(dice.choice(people), dice.choice(CLICKS))
        took = judge.converge(90)
    note(
        f"{figures.kills} random SIGKILLs, {bank.changes} changes at the bank,"
        f" {judge.webhooks() - kept} webhooks, {clicks} clicks",
        "0 rows lost, 0 doubled, every Item exact; work resumes within 30 s",
        f"exact ({judge.rows()} rows, {watch.cursors_seen} cursors checked on the way); longest"
        f" standstill of a pull {watch.longest_stall:.1f} s; all done {took:.1f} s after the last",
    )
    assert not watch.faults
    assert judge.clicks() - before >= clicks  # whatever was answered is a row
    if figures is FULL:
        assert watch.longest_stall < RESUMES


def kill(world: World, role: str) -> None:
    if role == "web's child":
        world.formation.kill_child("web")
    else:
        world.formation.kill(role)


def click(person: Person, button: str) -> int:
    """1 for a click that was answered; the web process may just be dead."""
    today = datetime.now(UTC).date()
    days = {"start_date": str(today - timedelta(days=90)), "end_date": str(today)}
    try:
        answer = person.click(button, **days)
    except requests.RequestException:
        return 0
    assert answer.status_code == 200, answer.text
    return 1
