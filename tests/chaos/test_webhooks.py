"""A thousand webhooks in ten seconds lose nothing; a thousand forged ones change nothing."""

import random
import time
from collections.abc import Callable, Iterator

from sqlalchemy import func, select

from plaidapp.store import Item

from .bank_life import BankLife
from .deliveries import Plaid, kept, percentile
from .figures import FULL, Figures
from .forgeries import Forger
from .judge import Judge
from .watch import Watch
from .world import World

KEY_PATH = "/webhook_verification_key/get"
ANSWERED_WITHIN = 1.0
MADE_UP_KIDS = 5
Note = Callable[[str, str, str], None]


def requests_made(world: World) -> int:
    with world.engine.connect() as connection:
        return connection.scalar(select(func.sum(Item.sync_requested))) or 0


def test_a_storm_loses_nothing(
    world: World, item_ids: list[int], judge: Judge, figures: Figures, plaid: Plaid, note: Note
) -> None:
    judge.converge(60)
    names, dice = world.plaid_ids(item_ids), random.Random(figures.webhooks)
    distinct = [plaid.update_of(dice.choice(names)) for _ in range(figures.webhooks * 4 // 5)]
    storm = distinct + dice.choices(distinct, k=figures.webhooks - len(distinct))
    dice.shuffle(storm)
    requested, inbox = requests_made(world), len(kept(world))
    with Watch(world) as watch:
        with BankLife(world, item_ids):  # whose own webhooks come in between
            outcomes = plaid.deliver_all(storm, figures.webhooks_per_second)
        took = judge.converge(60)
    slowest = percentile(outcomes, 0.99)
    lost = {one.kept_as for one in distinct} - kept(world)
    counted, expected = requests_made(world) - requested, len(kept(world)) - inbox
    note(
        f"{len(storm)} webhooks, {len(storm) - len(distinct)} of them twice,"
        f" {figures.webhooks_per_second} a second",
        "0 lost, at most one running sync an Item, acknowledged p99 under 1 s",
        f"{len(lost)} lost, {counted} requests counted of {expected} kept, at most"
        f" {watch.most_at_once} running, p99 {slowest * 1000:.0f} ms; all done {took:.1f} s later",
    )
    assert {outcome.status for outcome in outcomes} == {200}
    assert not lost
    assert counted >= expected  # the clock may have asked as well
    assert watch.most_at_once <= 1
    assert not watch.faults
    if figures is FULL:
        assert slowest < ANSWERED_WITHIN


def test_a_forged_webhook_changes_nothing(
    world: World, item_ids: list[int], judge: Judge, figures: Figures, plaid: Plaid, note: Note
) -> None:
    judge.converge(60)
    forger = Forger(plaid, world.plaid_ids(item_ids)[0], MADE_UP_KIDS)
    inbox, requested, asked = kept(world), requests_made(world), world.bank_calls(KEY_PATH)
    began = time.monotonic()
    outcomes = plaid.deliver_all(forger.make(figures.forged), per_second=50)
    minutes = int((time.monotonic() - began) // 60) + 1
    look_ups = world.bank_calls(KEY_PATH) - asked
    accepted = len(kept(world) - inbox)
    note(
        f"{len(outcomes)} forged webhooks, {MADE_UP_KIDS} made-up key ids",
        "0 accepted, at most one key look-up a kid a minute",
        f"{accepted} accepted, {look_ups} look-ups in {time.monotonic() - began:.0f} s;"
        f" answers {_tally(outcome.status for outcome in outcomes)}",
    )
    assert 200 not in {outcome.status for outcome in outcomes}
    assert not accepted
    assert requests_made(world) == requested
    assert look_ups <= (MADE_UP_KIDS + 1) * minutes


def _tally(statuses: Iterator[int]) -> str:
    """0 is a connection that was closed on a body too long to be read."""
    found = list(statuses)
    return ", ".join(f"{found.count(status)} × {status}" for status in sorted(set(found)))
