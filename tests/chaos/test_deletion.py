"""People have everything deleted: in the long form while processes are killed and Plaid fails."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
import requests
from sqlalchemy import func, select

from plaidapp.store import Item, Pull, User
from plaidapp.store.base import owned_rows
from tests.sandbox_control import Control

from .customer import Customer
from .figures import LONG, Figures
from .judge import Judge
from .person import PASSWORD
from .test_connections import killing
from .world import World, poll

CONVERGES = 240 if LONG else 60
"""Seconds. A removal that failed is tried again after 12, 24, 48 seconds and so on."""
KILLS = 20
"""The fewest for the long form, where it has so many."""
DOWN = {"path": "/item/remove", "status": 500, "error_type": "API_ERROR", "error_code": "DOWN"}


@pytest.mark.both_databases
def test_nothing_is_left_of_people_who_leave(
    world: World, judge: Judge, figures: Figures, note: Callable[[str, str, str], None]
) -> None:
    people = [Customer(world, f"leaver-{each}", stays=True) for each in range(figures.customers)]
    with ThreadPoolExecutor(figures.customers_at_once) as pool:
        list(pool.map(Customer.connect, people))
        user_ids = ids_of(world)
        plaid_ids = items_of(world, user_ids)
        before = judge.rows()
        with ExitStack() as trouble:
            kills: list[str] = []
            if LONG:
                trouble.enter_context(world.misbehaving({"kind": "error", **DOWN}))
                kills = trouble.enter_context(killing(world, figures))
            list(pool.map(leave, people))
            if LONG:
                poll(lambda: len(kills) >= min(KILLS, figures.customer_kills), 120, "kills")
    try:
        poll(lambda: not left(world, user_ids), CONVERGES, "a database without them")
    except AssertionError as error:
        pytest.fail(f"{error}: {left(world, user_ids)} {pulls_of(world, user_ids)}")
    there = {each["item_id"] for each in Control(world.bank_url).items() if not each["removed"]}
    assert not there & plaid_ids
    assert not list(judge.differences())
    note(
        f"{len(people)} people delete everything, with {len(kills)} random SIGKILLs",
        "no row of theirs here, no Item of theirs at Plaid, nothing of others changed",
        f"exact ({before - judge.rows()} rows and {len(plaid_ids)} Items gone)",
    )


def leave(customer: Customer) -> None:
    """Press *Delete everything*. If its answer was lost, the person may only be logged out."""
    person = customer.person

    def press() -> requests.Response:
        return person.click("/auth/delete", password=PASSWORD)

    while customer.insist(press, {200, 401}).status_code == 401:
        if customer.insist(lambda: person.log_in(customer.name), {200, 401}).status_code == 401:
            break
    person.close()


def ids_of(world: World) -> set[int]:
    with world.engine.connect() as connection:
        query = select(User.id).where(User.username.startswith("leaver-"))
        return set(connection.scalars(query))


def items_of(world: World, user_ids: set[int]) -> set[str]:
    with world.engine.connect() as connection:
        return set(connection.scalars(select(Item.plaid_item_id).where(Item.user_id.in_(user_ids))))


def pulls_of(world: World, user_ids: set[int]) -> list[str]:
    query = select(Pull.id, Pull.kind, Pull.state, Pull.failures, Pull.lost_workers, Pull.run_after)
    with world.engine.connect() as connection:
        return [repr(row) for row in connection.execute(query.where(Pull.user_id.in_(user_ids)))]


def left(world: World, user_ids: set[int]) -> dict[str, int]:
    """Count the rows that are left, by table."""
    found = {}
    with world.engine.connect() as connection:
        for table in owned_rows.tables():
            query = select(func.count()).select_from(table)
            counts = [
                connection.scalar(query.where(owned_rows.theirs(table, user_id)))
                for user_id in user_ids
            ]
            if number := sum(each or 0 for each in counts):
                found[table.name] = number
    return found
