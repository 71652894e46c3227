"""What the sandbox itself says, and panels as HTMX gets them."""

import json

import pytest
import requests
from sqlalchemy import select, text

from plaidapp.extensions import db
from plaidapp.store import Item, pulls
from tests.pages import Page


@pytest.fixture
def ask_sandbox(app, bank_server):
    """Asks the sandbox with the token of the only Item, past the code under test."""

    def ask(path, **fields):
        with app.app_context():
            sealed = db.session.scalars(db.select(Item.access_token)).one()
        token = app.extensions["cipher"].decrypt(sealed).decode()
        body = {"client_id": "local", "secret": "local", "access_token": token, **fields}
        answer = requests.post(bank_server.url + path, json=body, timeout=10)
        answer.raise_for_status()
        return json.loads(answer.content, parse_float=str, parse_int=str)

    return ask


class Panel:
    """A pull's fragment as HTMX gets it."""

    def __init__(self, answer):
        assert answer.status_code == 200, answer.text
        page = Page(answer.text)
        _, attributes, _ = page.elements[0]
        self.id = attributes["id"]
        self.state = attributes["data-state"]
        self.trigger = attributes.get("hx-trigger")
        self.poll = attributes.get("hx-get")
        self.buttons = [" ".join(text).strip() for tag, _, text in page.elements if tag == "button"]
        self.partials = sum(tag == "hx-partial" for tag, _, _ in page.elements)
        self.text = page.find(id=self.id)[1]
        self.html = answer.text


@pytest.fixture
def pull(app, alice):
    """Makes a pull of alice's at one Item, in any state; returns its id."""

    def make(state=pulls.QUEUED, kind=pulls.ACCOUNTS, phase=pulls.QUEUED, **fields):
        with app.app_context():
            item = db.session.get(Item, 1)
            if item is None:
                item = Item(id=1, user_id=alice.id, plaid_item_id="i", access_token=b"")
                item.institution_name = "Tartan Bank"
                db.session.add(item)
            made = pulls.add(alice.id, kind, [item], state=state, **fields)
            made.items[0].phase = phase
            db.session.commit()
            return made.id

    return make


@pytest.fixture
def panel():
    return Panel


@pytest.fixture
def ask(app):
    """What is committed of a table, oldest first; read in a session of its own."""

    def read(what):
        with app.app_context():
            return db.session.scalars(select(what).order_by(text("1"))).all()

    return read


@pytest.fixture
def tell(app, bank_server):
    """Plaid tells of an Item."""
    sign = bank_server.app.extensions["sandbox"].outbox.key.sign

    def post(item, kind, code, **fields):
        event = {"webhook_type": kind, "webhook_code": code, "item_id": item.plaid_item_id}
        body = json.dumps(event | fields, indent=2).encode()
        headers = {"Plaid-Verification": sign(body)}
        answer = app.test_client().post("/webhooks/plaid", data=body, headers=headers)
        assert answer.status_code == 200

    return post
