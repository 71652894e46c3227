"""A bank that answers badly, and one whose data changes between two pages."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, update

from plaidapp.extensions import db
from plaidapp.store import Item, Transaction

from .bank_life import BankLife
from .figures import LONG, Figures
from .judge import Judge
from .person import Person
from .watch import Watch
from .world import World

PATHS = ("/transactions/sync", "/accounts/get", "/accounts/balance/get")
SERVER_ERROR = {
    "kind": "error",
    "status": 500,
    "error_type": "API_ERROR",
    "error_code": "INTERNAL_SERVER_ERROR",
}
RATE_LIMITED = {
    "kind": "error",
    "status": 429,
    "error_type": "RATE_LIMIT_EXCEEDED",
    "error_code": "TRANSACTIONS_SYNC_LIMIT",
}
# About 70 % of the calls stay good. Hangs and drips are rare: they outlast the client's deadline of
# 20 s and keep a worker busy that long. A rate limit makes the app wait for 20 s, which is too long
# for the short form.
FAULTS = (
    SERVER_ERROR | {"probability": 0.11},
    RATE_LIMITED | {"probability": 0.05 if LONG else 0.0},
    {"kind": "truncate", "probability": 0.06},
    {"kind": "garbage", "probability": 0.06},
    {"kind": "wrong_types", "probability": 0.06},
    {"kind": "reset", "probability": 0.02},
    {"kind": "hang", "probability": 0.01, "seconds": 25, "times": 2},
    {"kind": "drip", "probability": 0.01, "seconds": 25, "times": 2},
)
PAGES = 10
Note = Callable[[str, str, str], None]


def test_nothing_is_lost_while_the_bank_fails_often(
    world: World,
    people: list[Person],
    item_ids: list[int],
    judge: Judge,
    figures: Figures,
    note: Note,
) -> None:
    rules = [rule | {"path": path} for path in PATHS for rule in FAULTS]
    until = time.monotonic() + figures.faults_for
    with Watch(world, item_ids) as watch:
        before = sum(map(world.bank_calls, PATHS))
        with world.misbehaving(*rules), BankLife(world, item_ids, per_second=6) as bank:
            while time.monotonic() < until or not world.faults_fired():
                bank.wait_for(bank.changes + 4)
                people[0].click("/finance/pulls/accounts")
            spoiled, calls = world.faults_fired(), sum(map(world.bank_calls, PATHS)) - before
        took = judge.converge(180)
    note(
        f"Plaid fails for {figures.faults_for:.0f} s, {bank.changes} changes",
        "converges; a stored cursor never passes rows that are not stored",
        f"exact {took:.1f} s after the last fault; {spoiled} of {calls} calls failed;"
        f" {watch.cursors_seen} cursors compared with the bank, {len(watch.faults)} wrong",
    )
    assert not watch.faults
    assert watch.cursors_seen
    assert spoiled


def test_a_mutation_after_any_page_loses_nothing(
    world: World, people: list[Person], judge: Judge, figures: Figures, note: Note
) -> None:
    item_id = world.add_item(1, "ins_5", "user_custom", ten_pages_of_history())
    judge.converge(60)
    with Watch(world, [item_id]) as watch:
        for after in figures.ten_pages:
            forget(world, item_id)
            mutation = {"path": PATHS[0], "kind": "mutate", "after": after, "times": 1}
            with world.misbehaving(mutation):
                world.request_sync(item_id)
                judge.converge(60)
                assert world.faults_fired() == 1
        forget(world, item_id)
        everywhere = [
            {"path": PATHS[0], "kind": "mutate", "after": after, "times": 1}
            for after in figures.ten_pages
        ]
        with world.misbehaving(*everywhere):
            world.request_sync(item_id)
            judge.converge(120)
            fired = world.faults_fired()
    note(
        f"mutation after each of pages {', '.join(map(str, figures.ten_pages))} of ten,"
        " then before as many calls in a row",
        "exact",
        f"exact each time; {watch.cursors_seen} cursors compared with the bank",
    )
    assert fired == len(figures.ten_pages)
    assert not watch.faults


def forget(world: World, item_id: int) -> None:
    """Make the Item look new: no rows and no cursor."""
    with world.app.app_context():
        db.session.execute(delete(Transaction).where(Transaction.item_id == item_id))
        db.session.execute(update(Item).where(Item.id == item_id).values(cursor=""))
        db.session.commit()


def ten_pages_of_history() -> str:
    """Return a custom user with nine full pages of 500 transactions and a tenth of 100."""
    today = datetime.now(UTC).date()
    rows: list[dict[str, Any]] = []
    for number in range((PAGES - 1) * 500 + 100):
        day = str(today - timedelta(days=3 + number % 600))
        amount = (number * 37 % 9999 + 1) / 100
        row = {"date_transacted": day, "date_posted": day, "amount": amount}
        rows.append(row | {"description": f"Purchase {number}", "currency": "USD"})
    checking = {"type": "depository", "subtype": "checking", "starting_balance": 1000}
    return json.dumps({"override_accounts": [checking | {"transactions": rows}]})
