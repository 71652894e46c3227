"""People connect, repair and disconnect banks while processes are killed.

Afterwards no Item exists at Plaid that we don't know, and none that we have is missing there.
"""

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlalchemy import func, or_, select

from plaidapp.store import Account, Item, LinkResult, Pull
from plaidapp.store.connections import item_states
from plaidapp.store.pulls import kinds, pulls
from tests.sandbox_control import Control

from .customer import Customer
from .figures import Figures
from .judge import Judge
from .test_kills import ROLES, kill
from .world import World, poll

CONVERGES = 90
"""Seconds."""
FOLLOWING = kinds.names(lambda kind: kind.follows_link)


def test_plaid_has_the_connections_that_we_know_and_no_others(
    world: World, judge: Judge, figures: Figures, note: Callable[[str, str, str], None]
) -> None:
    numbers = range(figures.customers)
    customers = [Customer(world, f"customer-{each}", stays=each % 3 == 0) for each in numbers]
    with killing(world, figures) as kills, ThreadPoolExecutor(figures.customers_at_once) as pool:
        for life in [pool.submit(customer.live) for customer in customers]:
            life.result()
    try:
        poll(lambda: not unfinished(world), CONVERGES, "an app with nothing left to do")
    except AssertionError as error:
        pytest.fail(f"{error}: {unfinished(world)}")
    at_plaid = Control(world.bank_url).items()
    exchanged = {each["item_id"] for each in at_plaid if each["exchanged"]}
    alive = {each["item_id"] for each in at_plaid if each["exchanged"] and not each["removed"]}
    assert alive == with_token(world)
    assert exchanged <= known(world)
    assert doubled(world) == []
    assert not list(judge.differences())
    done = sum(len(customer.done) for customer in customers)
    note(
        f"{len(kills)} random SIGKILLs while {len(customers)} people connect, repair and"
        f" disconnect ({done} times)",
        "Plaid has every connection that we know and no other; no account or row is there twice",
        f"exact ({len(alive)} connections alive, {len(exchanged) - len(alive)} removed)",
    )
    for customer in customers:
        customer.person.close()


@contextmanager
def killing(world: World, figures: Figures) -> Iterator[list[str]]:
    """Kill processes at random while the block runs. Yields the names of those killed."""
    pause = [2 * seconds for seconds in figures.kill_pause]  # a log-in takes several requests
    dice, over, killed = random.Random(figures.customer_kills), threading.Event(), list[str]()

    def run() -> None:
        while len(killed) < figures.customer_kills and not over.wait(dice.uniform(*pause)):
            killed.append(dice.choice(ROLES))
            kill(world, killed[-1])

    thread = threading.Thread(target=run, name="killer")
    thread.start()
    try:
        yield killed
    finally:
        over.set()
        thread.join()


def unfinished(world: World) -> list[str]:
    """Return what is still to be done. A link that nobody used may stay open for long."""
    active = Pull.state.in_((pulls.QUEUED, pulls.RUNNING)), Pull.kind.not_in(FOLLOWING)
    queries = {
        "pull": select(Pull.id, Pull.kind, Pull.state, Pull.failures, Pull.run_after).where(
            *active
        ),
        "importing": select(Item.id, Item.update_status).where(
            Item.state.in_(item_states.REPORTING),
            or_(
                Item.sync_applied < Item.sync_requested,
                func.coalesce(Item.update_status, "") != item_states.COMPLETE,
            ),
        ),
        "leaving": select(Item.id).where(Item.state == item_states.DISCONNECTING),
        "result": select(LinkResult.id, LinkResult.state).where(
            LinkResult.sealed_token.is_not(None)
        ),
    }
    with world.engine.connect() as connection:
        return [
            f"{what} {row}" for what, query in queries.items() for row in connection.execute(query)
        ]


def with_token(world: World) -> set[str]:
    with world.engine.connect() as connection:
        query = select(Item.plaid_item_id).where(func.length(Item.access_token) > 0)
        return set(connection.scalars(query))


def known(world: World) -> set[str]:
    with world.engine.connect() as connection:
        return set(connection.scalars(select(Item.plaid_item_id)))


def doubled(world: World) -> list[object]:
    """Return what a person has twice: open accounts of a bank that look the same."""
    look = Account.user_id, Item.institution_id, Account.type, Account.subtype, Account.mask
    query = select(*look).join(Item, Item.id == Account.item_id)
    query = query.where(Account.closed_at.is_(None)).group_by(*look).having(func.count() > 1)
    with world.engine.connect() as connection:
        return list(connection.execute(query))
