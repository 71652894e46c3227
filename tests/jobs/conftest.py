"""Add pulls without a page, run jobs without a worker, and read what the sandbox has."""

import io
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from flask import Flask, current_app
from rq.utils import import_attribute
from sqlalchemy import select, update
from werkzeug.wrappers import Request, Response

import sandbox
from plaidapp.extensions import db
from plaidapp.jobs import pull_job
from plaidapp.store import Item, Pull, Transaction
from plaidapp.store.base.types import now
from plaidapp.store.pulls import kinds, parameters, pulls


@pytest.fixture
def begin(owner: int) -> Callable[..., int]:
    """Add and commit a pull; return its id."""

    def add(kind: str, items=(), **fields) -> int:
        given = fields.pop("given", None)
        if kind == kinds.LINK:
            fields.setdefault("institution_id", "ins_109508")
        if given:
            cipher = current_app.extensions["cipher"]
            fields["sealed"] = parameters.seal(cipher, owner, fields.get("institution_id"), given)
        pull = pulls.add(owner, kind, items=items, **fields)
        db.session.commit()
        db.session.remove()
        return pull.id

    return add


@pytest.fixture
def run(context: Flask) -> Callable[[int], None]:
    """Run a pull's job as a worker does, even if the pull or a preparing bank is not due."""

    def job(pull_id: int) -> None:
        db.session.execute(update(Pull).where(Pull.id == pull_id).values(run_after=now()))
        db.session.execute(update(Item).values(ask_after=None))
        db.session.commit()
        db.session.remove()
        with context.app_context():
            assert import_attribute(pull_job.JOB)(pull_id) is None

    return job


def look(pull_id: int) -> Pull:
    """Return the pull as it is in the database now."""
    db.session.remove()
    pull = pulls.by_id(pull_id)
    db.session.remove()
    return pull


@pytest.fixture(name="look")
def _look(context: Flask) -> Callable[[int], Pull]:
    return look


@pytest.fixture
def custom(today: date) -> Callable[..., dict[str, str]]:
    """Return a custom user's log-in: one checking account, a row per (amount, age in days)."""

    def build(*rows: tuple[str, int]) -> dict[str, str]:
        days = [(today - timedelta(days=age)).isoformat() for _, age in rows]
        listed = ",".join(
            f'{{"date_transacted":"{day}","date_posted":"{day}","amount":{amount},'
            f'"description":"row {number}"}}'
            for number, ((amount, _), day) in enumerate(zip(rows, days, strict=True))
        )
        account = f'{{"type":"depository","subtype":"checking","transactions":[{listed}]}}'
        return {"username": "user_custom", "password": f'{{"override_accounts":[{account}]}}'}

    return build


@pytest.fixture
def link(begin, run, look, custom) -> Callable[..., Item]:
    """Connect an Item with its transactions; a small custom user's by default."""

    def connect(institution_id: str = "ins_109508", **given: str) -> Item:
        given = given or custom(("12.5", 3), ("-7500", 40))
        pull_id = begin(kinds.LINK, given=given, institution_id=institution_id)
        run(pull_id)
        pull = look(pull_id)
        assert pull.state == "done", pull.error_message
        return pull.items[0].item

    return connect


@pytest.fixture
def dynamic(link) -> Item:
    """Fifty rows, some of them pending; /transactions/refresh changes them."""
    return link(username="user_transactions_dynamic", password="any")


@pytest.fixture
def item_now(context: Flask) -> Callable[[Item], Item]:
    def read(item: Item) -> Item:
        db.session.remove()
        found = db.session.get(Item, item.id)
        db.session.remove()
        return found

    return read


@pytest.fixture
def token_of(context: Flask) -> Callable[[Item], str]:
    return lambda item: context.extensions["cipher"].decrypt(item.token)


@pytest.fixture
def stored(context: Flask) -> Callable[[], list[tuple]]:
    """Return every row that is shown, as plain values."""

    def read() -> list[tuple]:
        db.session.remove()
        query = select(Transaction).where(Transaction.removed_at.is_(None))
        rows = db.session.scalars(query).all()
        db.session.remove()
        return sorted(
            (
                row.plaid_transaction_id,
                row.date.isoformat(),
                row.amount,
                row.iso_currency_code,
                row.name,
                row.merchant_name,
                row.pending,
                row.pending_transaction_id,
                row.category_detailed,
            )
            for row in rows
        )

    return read


@pytest.fixture
def at_bank(bank_server, token_of) -> Callable[[Item], list[tuple]]:
    """Return the rows of an Item from /transactions/get, in the shape of `stored`."""

    def read(item: Item) -> list[tuple]:
        rows, total = [], 1
        while len(rows) < total:
            answer = bank_server.call(
                "/transactions/get",
                access_token=token_of(item),
                start_date="2000-01-01",
                end_date="2100-01-01",
                options={
                    "count": 500,
                    "offset": len(rows),
                    "personal_finance_category_version": "v2",
                },
            )
            rows += answer["transactions"]
            total = answer["total_transactions"]
        return sorted(
            (
                row["transaction_id"],
                row["date"],
                row["amount"],
                row["iso_currency_code"],
                row["name"],
                row["merchant_name"],
                row["pending"],
                row["pending_transaction_id"],
                row["personal_finance_category"] and row["personal_finance_category"]["detailed"],
            )
            for row in rows
        )

    return read


class SlowSandbox:
    """A sandbox whose clock stands still until a test turns it."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)
        self.app = sandbox.create_app(clock=lambda: self.now, initial_delay=10, historical_delay=60)

    def turn(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def slow_sandbox(bank_server, monkeypatch):
    """The bank has the first transactions after 10 s and all of them after 60 s."""
    slow = SlowSandbox()
    monkeypatch.setattr(bank_server.server, "app", slow.app)
    yield slow
    slow.app.extensions["sandbox"].close()


@pytest.fixture
def rewrite(bank_server, monkeypatch):
    """Edit the bank's successful responses on a path."""

    def arrange(path, edit):
        honest = bank_server.server.app

        def spoiled(environ, start_response):
            if environ["PATH_INFO"] != path:
                return honest(environ, start_response)
            response = Response.from_app(honest, environ, buffered=True)
            page = json.loads(response.get_data(), parse_float=Decimal)
            response.set_data(msgspec.json.encode(edit(page)))
            return response(environ, start_response)

        monkeypatch.setattr(bank_server.server, "app", spoiled)

    return arrange


@pytest.fixture
def intercept(bank_server, monkeypatch):
    """`intercept(path, answer)`: `answer` gets each request's JSON and may refuse it.

    It returns an error as (error_type, error_code), or None to let the bank answer.
    """

    def arrange(path, answer):
        honest = bank_server.server.app

        def bank(environ, start_response):
            if environ["PATH_INFO"] != path:
                return honest(environ, start_response)
            request = Request(environ)
            refusal = answer(json.loads(request.get_data()))
            if refusal is None:
                environ["wsgi.input"] = io.BytesIO(request.get_data())
                return honest(environ, start_response)
            error = dict(zip(("error_type", "error_code"), refusal, strict=True))
            body = json.dumps(error | {"error_message": "no", "display_message": None})
            return Response(body, 400, content_type="application/json")(environ, start_response)

        monkeypatch.setattr(bank_server.server, "app", bank)

    return arrange
