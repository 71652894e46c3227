"""Items of many people at the sandbox, connected without a page and synced by the workers."""

import itertools
import json
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from flask import Flask
from sqlalchemy import func, select

from config import Config
from plaidapp import create_app
from plaidapp.bank.client import Bank
from plaidapp.extensions import db
from plaidapp.sealing import Sealed
from plaidapp.store import Item, Pull, Transaction
from plaidapp.store.connections import item_states, items
from plaidapp.store.people import users
from plaidapp.store.pulls import pulls
from tests.e2e.processes import Deployment, post_json
from tests.sandbox_control import Control


def app_of(deployment: Deployment) -> Flask:
    """Return an app of this process. Plaid sends no webhooks for the Items that it connects."""
    without_webhooks = {k: v for k, v in deployment.env.items() if k != "PUBLIC_URL"}
    return create_app(Config.from_env(without_webhooks))


BANKS = ("ins_109508", "ins_109509", "ins_109510", "ins_109511", "ins_109512")
"""Each Item of a person is at another bank: at the same one, it would replace the one before."""


def add_people(app: Flask, count: int) -> list[int]:
    """Add people who never log in, and return their ids."""
    with app.app_context():
        added = [
            users.add(f"olive{number}", f"olive{number}@example.com", "no hash")
            for number in range(count)
        ]
        db.session.commit()
        return [user.id for user in added]


def connect(app: Flask, user_ids: Sequence[int], each: int, rows: int) -> None:
    """Connect `each` Items of every person, with `rows` transactions. The clock has them synced.

    `each` is at most the number of BANKS.
    """
    bank: Bank = app.extensions["bank"]
    user = _custom_user(rows)

    def link(user_id: int, institution_id: str) -> dict[str, Any]:
        token = bank.sandbox_public_token(institution_id, "user_custom", user)
        connection = bank.exchange(user_id, token)
        return {
            "user_id": user_id,
            "institution_id": institution_id,
            "institution_name": f"Bank {institution_id}",
            "plaid_item_id": connection.plaid_item_id,
            "access_token": connection.token.value,
            "sync_requested": 1,
        }

    chosen = [(user_id, institution) for user_id in user_ids for institution in BANKS[:each]]
    with ThreadPoolExecutor(8) as threads:
        linked = list(threads.map(link, *zip(*chosen, strict=True)))
    with app.app_context():
        for fields in linked:
            items.add(**fields)
        db.session.commit()


def _custom_user(rows: int) -> str:
    today = date.today()  # noqa: DTZ011
    transactions = []
    for number in range(rows):
        day = str(today - timedelta(days=1 + number % 600))
        transactions.append(
            {
                "date_transacted": day,
                "date_posted": day,
                "amount": 1 + number % 97,
                "description": f"Shop {number % 40}",
                "currency": "USD",
            }
        )
    account = {"type": "depository", "subtype": "checking", "transactions": transactions}
    return json.dumps({"override_accounts": [account]})


def plaid_ids(app: Flask) -> list[str]:
    with app.app_context():
        return list(db.session.scalars(select(Item.plaid_item_id).order_by(Item.id)))


def wait_until_idle(app: Flask, seconds: float) -> None:
    """Wait until every Item is up to date and no pull is open. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while behind := _behind(app):
        if time.monotonic() > deadline:
            raise TimeoutError(f"Items behind and pulls open: {behind}")
        time.sleep(0.5)


def _behind(app: Flask) -> tuple[int, int] | None:
    is_open = Pull.state.in_((pulls.QUEUED, pulls.RUNNING))
    complete = Item.update_status == item_states.COMPLETE
    is_behind = ~complete | Item.update_status.is_(None) | (Item.sync_applied < Item.sync_requested)
    with app.app_context():
        found = (
            db.session.scalar(select(func.count()).where(is_behind)) or 0,
            db.session.scalar(select(func.count()).where(is_open)) or 0,
        )
    return found if any(found) else None


class BusyBank:
    """While the block runs, something new happens at all banks, at RATE Items a second."""

    RATE = 10

    def __init__(self, deployment: Deployment, app: Flask) -> None:
        self._control = Control(deployment.bank.url)
        self._ids = plaid_ids(app)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        for plaid_id in itertools.cycle(self._ids):
            if self._over.wait(1 / self.RATE):
                return
            self._control.change(plaid_id, activity=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


def differing(app: Flask, deployment: Deployment) -> list[str]:
    """Return Plaid's ids of the Items whose stored rows are not the bank's, row by row."""
    with app.app_context():
        query = select(Item).order_by(Item.id)
        found = [(item.id, item.plaid_item_id, item.token) for item in db.session.scalars(query)]
        cipher = app.extensions["cipher"]
        tokens = {plaid_id: cipher.decrypt(token) for _, plaid_id, token in found}
        stored: dict[int, set[tuple[str, Decimal]]] = {item_id: set() for item_id, _, _ in found}
        rows = select(Transaction.item_id, Transaction.plaid_transaction_id, Transaction.amount)
        for item_id, plaid_id, amount in db.session.execute(
            rows.where(Transaction.removed_at.is_(None))
        ):
            stored[item_id].add((plaid_id, amount))

    def same(item: tuple[int, str, Sealed]) -> bool:
        return stored[item[0]] == _at_bank(deployment, tokens[item[1]])

    with ThreadPoolExecutor(8) as threads:
        is_same = list(threads.map(same, found))
    return [item[1] for item, fits in zip(found, is_same, strict=True) if not fits]


def _at_bank(deployment: Deployment, token: str) -> set[tuple[str, Decimal]]:
    rows: set[tuple[str, Decimal]] = set()
    total, keys = 1, {"client_id": "local", "secret": "local", "access_token": token}
    while len(rows) < total:
        window = {"start_date": "2000-01-01", "end_date": "2100-01-01"}
        options = {"count": 500, "offset": len(rows)}
        answer = post_json(
            f"{deployment.bank.url}/transactions/get", {**keys, **window, "options": options}
        )
        rows |= {(row["transaction_id"], row["amount"]) for row in answer["transactions"]}
        total = answer["total_transactions"]
    return rows
