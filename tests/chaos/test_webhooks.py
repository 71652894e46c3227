"""A thousand webhooks in ten seconds lose nothing; a thousand forged ones change nothing."""

import random
import time
from collections.abc import Callable, Iterator

from sqlalchemy import func, select

from plaidapp.store import Item

from .bank_life import BankLife
from .deliveries import Plaid, percentile, stored_hashes
from .figures import FULL, Figures
from .forgeries import Forger
from .judge import Judge
from .watch import Watch
from .world import World

KEY_PATH = "/webhook_verification_key/get"
ANSWERED_WITHIN = 1.0
MADE_UP_KIDS = 5
Note = Callable[[str, str, str], None]


def syncs_requested(world: World) -> int:
    with world.engine.connect() as connection:
        return connection.scalar(select(func.sum(Item.sync_requested))) or 0


def test_a_burst_of_webhooks_loses_nothing(
    world: World, item_ids: list[int], judge: Judge, figures: Figures, plaid: Plaid, note: Note
) -> None:
    judge.converge(60)
    names, dice = world.plaid_ids(item_ids), random.Random(figures.webhooks)
    distinct = [plaid.update_of(dice.choice(names)) for _ in range(figures.webhooks * 4 // 5)]
    burst = distinct + dice.choices(distinct, k=figures.webhooks - len(distinct))
    dice.shuffle(burst)
    requested, stored = syncs_requested(world), len(stored_hashes(world))
    with Watch(world, item_ids) as watch:
        with BankLife(world, item_ids):  # the bank sends its own webhooks meanwhile
            outcomes = plaid.deliver_all(burst, figures.webhooks_per_second)
        took = judge.converge(60)
    slowest = percentile(outcomes, 0.99)
    lost = {one.token_hash for one in distinct} - stored_hashes(world)
    counted, expected = syncs_requested(world) - requested, len(stored_hashes(world)) - stored
    note(
        f"{len(burst)} webhooks, {len(burst) - len(distinct)} of them twice,"
        f" {figures.webhooks_per_second} a second",
        "none lost, at most one running sync per Item, 99 % answered within 1 s",
        f"{len(lost)} lost, {counted} syncs requested for {expected} stored, at most"
        f" {watch.most_running} running, p99 {slowest * 1000:.0f} ms; all done {took:.1f} s later",
    )
    assert {outcome.status for outcome in outcomes} == {200}
    assert not lost
    assert counted >= expected  # the clock may have requested some too
    assert watch.most_running <= 1
    assert not watch.faults
    if figures is FULL:
        assert slowest < ANSWERED_WITHIN


def test_a_forged_webhook_changes_nothing(
    world: World, item_ids: list[int], judge: Judge, figures: Figures, plaid: Plaid, note: Note
) -> None:
    judge.converge(60)
    forger = Forger(plaid, world.plaid_ids(item_ids)[0], MADE_UP_KIDS)
    stored, requested, looked_up = (
        stored_hashes(world),
        syncs_requested(world),
        world.bank_calls(KEY_PATH),
    )
    began = time.monotonic()
    outcomes = plaid.deliver_all(forger.make(figures.forged), per_second=50)
    minutes = int((time.monotonic() - began) // 60) + 1
    lookups = world.bank_calls(KEY_PATH) - looked_up
    accepted = len(stored_hashes(world) - stored)
    note(
        f"{len(outcomes)} forged webhooks, {MADE_UP_KIDS} made-up key ids",
        "none accepted, at most one lookup per key id and minute",
        f"{accepted} accepted, {lookups} lookups in {time.monotonic() - began:.0f} s;"
        f" answers {_tally(outcome.status for outcome in outcomes)}",
    )
    assert 200 not in {outcome.status for outcome in outcomes}
    assert not accepted
    assert syncs_requested(world) == requested
    assert lookups <= (MADE_UP_KIDS + 1) * minutes


def _tally(statuses: Iterator[int]) -> str:
    """Count each status. 0 is a connection that was closed because the body was too long."""
    found = list(statuses)
    return ", ".join(f"{found.count(status)} × {status}" for status in sorted(set(found)))
