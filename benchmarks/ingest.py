"""How fast does a history become stored rows?

Ours is the real job, from the sandbox's answers over HTTP to the commit. The floor is the bare
driver's upsert with the finished rows in memory and one commit, once into a table of sixteen
columns with a unique index and a page's, and once into the table as it is, with its orders and its
search index.
The naive way is plaid-python's typed models and a select-or-add by the ORM for each row.
"""

import itertools
import json
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import plaid
import psycopg
from cryptography.fernet import Fernet
from flask import Flask
from flask_migrate import upgrade
from plaid.api import plaid_api
from plaid.model.transactions_sync_request import TransactionsSyncRequest
from sqlalchemy import Index, UniqueConstraint, make_url
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from benchmarks import floors, rig
from config import Config
from plaidapp import create_app
from plaidapp.extensions import db
from plaidapp.jobs import run as jobs
from plaidapp.jobs import startup
from plaidapp.jobs.transactions import sync
from plaidapp.store import Item, Transaction
from plaidapp.store.connections import accounts, items
from plaidapp.store.people import users
from plaidapp.store.pulls import pulls
from tests.e2e.processes import clean_env

TOKEN_KEY = Fernet.generate_key().decode()
NAMES = (
    "WHOLEFDS MKT",
    "UBER *TRIP",
    "AMZN MKTP US",
    "PG&E WEB ONLINE",
    "CVS/PHARMACY",
    "TRADER JOE'S",
)


def main() -> None:
    options = rig.arguments(__doc__ or "")
    rows, rounds = (5_000, 1) if options.quick else (50_000, 5)
    startup.warm_up()
    with rig.sandbox() as bank:
        for kind in rig.DATABASES:
            with rig.database(kind) as url:
                compare(kind, World(url, bank, rows), rounds)
        peaks(bank, (5_000, 10_000) if options.quick else (50_000, 200_000))


class World:
    """A database with somebody whose bank holds `rows` transactions; `fresh` is a copy of it."""

    def __init__(self, url: str, bank: str, rows: int) -> None:
        self.rows = rows
        self._url, self._bank = make_url(url), bank
        self._copies = itertools.count()
        app = self._app(url)
        with app.app_context():
            upgrade()
            user = users.add("olive", "olive@example.com", "no hash")
            db.session.commit()
            connection = connect(app, rows)
            item = items.add(
                user_id=user.id,
                plaid_item_id=connection.plaid_item_id,
                institution_id="ins_109508",
                access_token=connection.sealed_token,
                sync_requested=1,
            )
            db.session.flush()
            accounts.save(
                user.id, item.id, app.extensions["bank"].accounts(item.access_token).accounts
            )
            db.session.commit()
            self.item_id, self.user_id = item.id, user.id
            self.token = app.extensions["cipher"].decrypt(connection.sealed_token).decode()
            db.session.remove()
            db.engine.dispose()

    def _app(self, url: str) -> Flask:
        return create_app(
            Config(
                secret_key="for benchmarks only",
                token_keys=(TOKEN_KEY,),
                database_url=url,
                redis_url="redis://localhost:1",
                plaid_client_id="local",
                plaid_secret="local",
                plaid_env="sandbox",
                plaid_url=self._bank,
                log_level="ERROR",
            )
        )

    @contextmanager
    def fresh(self) -> Iterator[Flask]:
        """The app on a new copy of the database."""
        name = f"copy{next(self._copies)}"
        if self._url.get_backend_name() == "sqlite":
            copy = self._url.set(database=str(Path(self._url.database or "").with_name(name)))
            shutil.copy(self._url.database or "", copy.database or "")
        else:
            copy = self._url.set(database=name)
            postgres = self._url.set(drivername="postgresql", database="postgres")
            uri = postgres.render_as_string(hide_password=False)
            with psycopg.connect(uri, autocommit=True) as connection:
                connection.execute(f'CREATE DATABASE {name} TEMPLATE "{self._url.database}"')
        app = self._app(copy.render_as_string(hide_password=False))
        with app.app_context():
            yield app
            db.session.remove()
            db.engine.dispose()


def connect(app: Flask, rows: int) -> Any:
    """An Item at the sandbox whose one account has so many rows, over two years."""
    made = random.Random(5)
    today = date.today()  # noqa: DTZ011
    transactions = []
    for number in range(rows):
        day = str(today - timedelta(days=made.randint(1, 729)))
        transactions.append(
            {
                "date_transacted": day,
                "date_posted": day,
                "amount": made.randint(100, 20_000) / 100,
                "description": f"{made.choice(NAMES)} {number % 9_999:04}",
                "currency": "USD",
            }
        )
    account = {"type": "depository", "subtype": "checking", "transactions": transactions}
    user = json.dumps({"override_accounts": [account]})
    bank = app.extensions["bank"]
    return bank.exchange(bank.sandbox_public_token("ins_109508", "user_custom", user))


def compare(kind: str, world: World, rounds: int) -> None:
    storing: list[float] = []

    def job() -> float:
        with world.fresh():
            seconds, stored = run_job(world)
            storing.append(world.rows / stored)
        return world.rows / seconds

    columns, ready = finished_rows(world)
    ways: dict[str, Callable[[], float]] = {
        "the whole job": job,
        "bare driver, two indexes": lambda: bare(world, columns, ready, plain=True),
        "bare driver, this table": lambda: bare(world, columns, ready, plain=False),
        **copying(kind, world, columns, ready),
        "typed models and ORM": lambda: naive(world),
    }
    found = rig.alternate(ways, rounds)
    found = {"storing alone": storing, **found}
    rivals = ("bare driver, two indexes", "bare driver, this table", "typed models and ORM")
    rows = [
        [name, rig.median(values), *(rig.ratio(values, found[rival]) for rival in rivals)]
        for name, values in found.items()
    ]
    header = ("way", "rows a second", "of two indexes", "of this table", "times the naive way")
    rig.table(f"{world.rows:,} rows into {kind}", header, rows)


def copying(
    kind: str, world: World, columns: list[str], ready: list[tuple[Any, ...]]
) -> dict[str, Callable[[], float]]:
    """PostgreSQL is quicker still with rows of which it is known that none is there."""
    if kind == "SQLite":
        return {}
    name = "bare driver, this table, new rows by COPY"
    return {name: lambda: bare(world, columns, ready, plain=False, new=True)}


def begin(world: World) -> int:
    """The id of a pull for the job to run."""
    item = db.session.get_one(Item, world.item_id)
    pull = pulls.add(world.user_id, pulls.TRANSACTIONS, items=[item], asked_by=pulls.PERSON)
    db.session.commit()
    return pull.id


def run_job(world: World) -> tuple[float, float]:
    """Seconds of the job, and of what it spent on storing."""
    pull_id = begin(world)
    spent = []
    store = sync._store

    def timed(*arguments: Any) -> items.Advance:
        start = time.perf_counter()
        outcome = store(*arguments)
        spent.append(time.perf_counter() - start)
        return outcome

    sync._store = timed
    try:
        start = time.perf_counter()
        jobs.transactions(pull_id)
        seconds = time.perf_counter() - start
    finally:
        sync._store = store
    count = db.session.scalar(db.select(db.func.count()).select_from(Transaction))
    assert count == world.rows, f"{count} rows instead of {world.rows}"
    return seconds, sum(spent)


def finished_rows(world: World) -> tuple[list[str], list[tuple[Any, ...]]]:
    """What the job stored, as a driver gives it back: the columns' names, and the rows."""
    table = Transaction.__table__
    columns = [column.name for column in table.columns if column.name not in ("id", "size")]
    with world.fresh():
        run_job(world)
        names = ", ".join(columns)
        rows = db.session.connection().exec_driver_sql(f'SELECT {names} FROM "transaction"')
        return columns, [tuple(row) for row in rows]


def bare(
    world: World,
    columns: list[str],
    rows: list[tuple[Any, ...]],
    *,
    plain: bool,
    new: bool = False,
) -> float:
    with world.fresh():
        url = db.engine.url
        if url.get_backend_name() == "sqlite":
            seconds = floors.sqlite(url, columns, rows, plain)
        else:
            seconds = floors.postgresql(url, columns, rows, plain, new)
    return len(rows) / seconds


class NaiveBase(DeclarativeBase):
    pass


class NaiveTransaction(NaiveBase):
    """The floor's table as a model."""

    __tablename__ = "naive"
    __table_args__ = (UniqueConstraint("item_id", "transaction_id"), Index("page", "date", "id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[int]
    account_id: Mapped[str]
    transaction_id: Mapped[str]
    pending_transaction_id: Mapped[str | None]
    date: Mapped[date]
    authorized_date: Mapped[date | None]
    amount: Mapped[Decimal]
    iso_currency_code: Mapped[str | None]
    unofficial_currency_code: Mapped[str | None]
    name: Mapped[str]
    merchant_name: Mapped[str | None]
    payment_channel: Mapped[str]
    category_primary: Mapped[str]
    category_detailed: Mapped[str]
    pending: Mapped[bool]


SAME = (
    "account_id", "pending_transaction_id", "date", "authorized_date", "iso_currency_code",
    "unofficial_currency_code", "name", "merchant_name", "payment_channel", "pending",
)  # fmt: skip


def naive(world: World) -> float:
    """Rows a second over one page of 500; each further page costs the same."""
    with world.fresh() as app:
        NaiveBase.metadata.create_all(db.engine)
        configuration = plaid.Configuration(
            host=app.config["PLAIDAPP"].plaid_url,
            api_key={"clientId": "local", "secret": "local"},
        )
        api = plaid_api.PlaidApi(plaid.ApiClient(configuration))
        start = time.perf_counter()
        request = TransactionsSyncRequest(access_token=world.token, cursor="", count=500)
        page = api.transactions_sync(request)
        for sent in page.added:
            query = db.select(NaiveTransaction).filter_by(
                item_id=world.item_id, transaction_id=sent.transaction_id
            )
            row = db.session.scalar(query)
            if row is None:
                row = NaiveTransaction(item_id=world.item_id, transaction_id=sent.transaction_id)
                db.session.add(row)
            for name in SAME:
                setattr(row, name, sent[name])
            row.amount = Decimal(str(sent.amount))
            row.category_primary = sent.personal_finance_category.primary
            row.category_detailed = sent.personal_finance_category.detailed
        db.session.commit()
        return len(page.added) / (time.perf_counter() - start)


def peaks(bank: str, sizes: tuple[int, ...]) -> None:
    """The most memory that a worker's process has taken when it has done nothing but the job."""
    found = []
    for kind in rig.DATABASES:
        for rows in sizes:
            with rig.database(kind) as url:
                world = World(url, bank, rows)
                with world.fresh() as app:
                    found.append([f"{rows:,} rows, {kind}", peak(app, begin(world))])
    rig.table("Peak memory of the worker", ("history", "MB (must be under 120, and flat)"), found)


def peak(app: Flask, pull_id: int) -> float:
    env = clean_env(
        SECRET_KEY="for benchmarks only",
        TOKEN_KEYS=TOKEN_KEY,
        DATABASE_URL=db.engine.url.render_as_string(hide_password=False),
        PLAID_BASE_URL=app.config["PLAIDAPP"].plaid_url,
        PLAID_CLIENT_ID="local",
        PLAID_SECRET="local",
    )
    command = [sys.executable, "-m", "benchmarks.ingest_peak", str(pull_id)]
    return float(subprocess.run(command, env=env, check=True, capture_output=True).stdout)


if __name__ == "__main__":
    main()
