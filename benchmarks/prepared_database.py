"""A migrated database with one user and one Item, for benchmarks that copy it for every run."""

import itertools
import json
import random
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import psycopg
from cryptography.fernet import Fernet
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import make_url

from config import Config
from plaidapp import create_app
from plaidapp.bank.link_calls import Connection
from plaidapp.extensions import db
from plaidapp.store.connections import accounts, items
from plaidapp.store.people import users

TOKEN_KEY = Fernet.generate_key().decode()
SECRET_KEY = secrets.token_hex()
NAMES = (
    "WHOLEFDS MKT",
    "UBER *TRIP",
    "AMZN MKTP US",
    "PG&E WEB ONLINE",
    "CVS/PHARMACY",
    "TRADER JOE'S",
)


class PreparedDatabase:
    """A database with an Item that has not synced yet. The bank has `rows` transactions for it."""

    def __init__(self, url: str, bank: str, rows: int) -> None:
        self.rows = rows
        self._url, self._bank = make_url(url), bank
        self._copies = itertools.count()
        app = self._app(url)
        with app.app_context():
            upgrade()
            user = users.add("olive", "olive@example.com", "no hash")
            db.session.commit()
            connection = connect(app, user.id, rows)
            item = items.add(
                user_id=user.id,
                plaid_item_id=connection.plaid_item_id,
                institution_id="ins_109508",
                access_token=connection.token.value,
                sync_requested=1,
            )
            db.session.flush()
            listed = app.extensions["bank"].accounts(connection.token).accounts
            accounts.save(user.id, item.id, listed)
            db.session.commit()
            self.item_id, self.user_id = item.id, user.id
            self.token = app.extensions["cipher"].decrypt(connection.token)
            db.session.remove()
            db.engine.dispose()

    def _app(self, url: str) -> Flask:
        return create_app(
            Config(
                secret_keys=(SECRET_KEY,),
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
    def copy(self) -> Iterator[Flask]:
        """Give the app, in an app context, on a new copy of the database."""
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


def connect(app: Flask, user_id: int, rows: int) -> Connection:
    """Link an Item at the sandbox: one account with `rows` transactions over two years."""
    chance = random.Random(5)
    today = date.today()  # noqa: DTZ011
    transactions = []
    for number in range(rows):
        day = str(today - timedelta(days=chance.randint(1, 729)))
        transactions.append(
            {
                "date_transacted": day,
                "date_posted": day,
                "amount": chance.randint(100, 20_000) / 100,
                "description": f"{chance.choice(NAMES)} {number % 9_999:04}",
                "currency": "USD",
            }
        )
    account = {"type": "depository", "subtype": "checking", "transactions": transactions}
    user = json.dumps({"override_accounts": [account]})
    bank = app.extensions["bank"]
    token = bank.sandbox_public_token("ins_109508", "user_custom", user)
    connection: Connection = bank.exchange(user_id, token)
    return connection
