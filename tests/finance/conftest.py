"""Questions to the sandbox itself, and panels as HTMX gets them."""

import json

import pytest
import requests

from plaidapp.extensions import db
from plaidapp.store import Item
from tests.pages import Page


@pytest.fixture
def ask_sandbox(app, bank_server):
    """Ask the sandbox with the token of the only Item, without the code under test."""

    def ask(path, **fields):
        with app.app_context():
            sealed = db.session.scalars(db.select(Item)).one().token
        token = app.extensions["cipher"].decrypt(sealed)
        body = {"client_id": "local", "secret": "local", "access_token": token, **fields}
        answer = requests.post(bank_server.url + path, json=body, timeout=10)
        answer.raise_for_status()
        return json.loads(answer.content, parse_float=str, parse_int=str)

    return ask


class Panel:
    """The panel of a pull, as HTMX gets it."""

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
def panel():
    return Panel
