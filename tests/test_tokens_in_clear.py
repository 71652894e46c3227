"""No token, key, password or address of Hosted Link is in clear: stored, queued, logged or shown.

A person does everything that can be done with a bank. The sandbox says which tokens it has issued.
tests/e2e/test_repair.py looks into the logs of real processes.
"""

import io
import json
import logging
from urllib.parse import urlsplit

import msgspec
import pytest
from werkzeug.wrappers import Request, Response

from plaidapp.auth.access import LOGIN
from plaidapp.extensions import db
from plaidapp.store import (
    Item,
    LinkResult,
)
from sandbox.fault_rules import Rule
from tests.auth.test_access import OF_ROUTES, newest, routes
from tests.conftest import PASSWORD
from tests.link_walker import walk
from tests.sandbox_control import Control

CONNECT = "/finance/connections"
EXCHANGE, REMOVE = "/item/public_token/exchange", "/item/remove"
ONE_ACCOUNT = {"accounts": ["0000"]}
FAULTS = {"kind": "truncate"}, {"kind": "missing_field", "field": "item_id"}
"""These answers have the access token, or half of it."""
HOSTED_LINK = "/hl/"


@pytest.fixture
def issued(bank_server):
    """Every token and address of the sandbox so far. It forgets them in time; the set doesn't."""
    known = set()
    columns = (
        ("link_token", "token, hosted_id"),
        ("public_token", "token"),
        ("item", "access_token"),
    )

    def read():
        with bank_server.app.extensions["sandbox"].store.read() as state:
            for table, names in columns:
                for row in state.execute(f"SELECT {names} FROM {table}"):  # noqa: S608
                    known.update(secret for secret in row if secret)
        return known

    return read


@pytest.fixture
def shown(app):
    """Every answer that the app gives, with its headers, except where it leads to Plaid."""
    seen = []
    honest = app.wsgi_app

    def overhear(environ, start_response):
        answer = Response.from_app(honest, environ, buffered=True)
        for name, value in answer.headers:
            leads = name in ("Location", "HX-Redirect")
            if not (leads and urlsplit(value).path.startswith(HOSTED_LINK)):
                seen.append(f"{name}: {value}")
        seen.append(answer.get_data(as_text=True))
        return answer(environ, start_response)

    app.wsgi_app = overhear
    return seen


@pytest.fixture
def ids(app):
    def read():
        with app.app_context():
            return {name: db.session.scalars(newest(name)).all() for name in OF_ROUTES}

    return read


@pytest.fixture
def read_everything(app, alice, ids):
    """Open every page and every fragment that there is."""

    def read():
        for method, path, names in routes(app):
            if method == "GET" and "static" not in path:
                for number in ids()[names[0]] if names else [None]:
                    alice.client.get(path.format(number))
                    alice.htmx("GET", path.format(number))

    return read


@pytest.fixture
def tell_of_link(app, bank_server):
    """Send a webhook of Link as Plaid does, about the newest link, with public tokens."""

    def post():
        box = bank_server.app.extensions["sandbox"]
        with box.store.read() as state:
            links = state.execute("SELECT token FROM link_token ORDER BY created").fetchall()
            results = state.execute("SELECT token FROM public_token").fetchall()
        event = {
            "webhook_type": "LINK",
            "webhook_code": "SESSION_FINISHED",
            "link_token": links[-1]["token"],
            "public_tokens": [row["token"] for row in results],
        }
        body = json.dumps(event).encode()
        headers = {"Plaid-Verification": box.webhook_queue.key.sign(body)}
        answer = app.test_client().post("/webhooks/plaid", data=body, headers=headers)
        assert answer.status_code == 200

    return post


@pytest.fixture
def come_back(alice, work_due, tell_of_link):
    """Walk through Link and come back, if the walk ends. The worker then does what is due."""

    def go(answer, **steps):
        returned = walk(answer.location, **steps)
        if returned:
            assert alice.client.get(urlsplit(returned).path).status_code == 200
        tell_of_link()
        work_due()

    return go


def offer_several(bank_server, monkeypatch):
    """Have the sandbox offer several banks in one session, whatever the app asks for."""
    honest = bank_server.server.app

    def change(environ, start_response):
        if environ["PATH_INFO"] == "/link/token/create":
            sent = json.loads(Request(environ).get_data()) | {"enable_multi_item_link": True}
            body = json.dumps(sent).encode()
            environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        return honest(environ, start_response)

    monkeypatch.setattr(bank_server.server, "app", change)


@pytest.mark.both_databases
def test_in_the_life_of_a_person_no_token_is_in_clear(
    app, alice, bank_server, issued, shown, ids, read_everything, come_back, connect, later,
    work_due, dump, redis_text, small_user, caplog, monkeypatch, ask,
):  # fmt: skip
    caplog.set_level(logging.DEBUG, "plaidapp")
    caplog.set_level(logging.INFO)
    control = Control(bank_server.url)
    config = app.config["PLAIDAPP"]
    with alice.client.session_transaction() as session:
        keys = {*config.secret_keys, *config.token_keys, PASSWORD, session[LOGIN]}

    def look():
        """Before a token is destroyed, it must not have been in clear either."""
        logged = [r.getMessage() + str(r.exc_text) for r in caplog.records if r.name != "werkzeug"]
        places = {
            "database": repr(dump()),
            "Redis": redis_text(),
            "log": "\n".join(logged),
            "pages": "\n".join(shown),
        }
        for place, text in places.items():
            assert [secret for secret in issued() | keys if secret in text] == [], place
        assert "@" not in places["log"]
        shown.clear()

    def press(path, **data):
        return alice.client.post(path, data=data)

    # Connect: canceled, with a wrong password first, and with the tab closed.
    come_back(press(CONNECT), cancel_at="credentials")
    come_back(press(CONNECT), stop_at="accounts")
    look()
    come_back(press(CONNECT), password=["wrong", "pass_good"], **ONE_ACCOUNT)
    assert [item.state for item in ask(Item)] == ["good"]
    # A duplicate, which is held and then connected separately, while the exchange fails.
    come_back(press(CONNECT), **ONE_ACCOUNT)
    (held,) = [result for result in ask(LinkResult) if result.state == "held"]
    read_everything()
    look()
    bank_server.faults.rulebook.replace(
        [msgspec.convert({"path": EXCHANGE, "times": 1} | fault, Rule) for fault in FAULTS]
    )
    press(f"{CONNECT}/{held.session_id}/separate")
    for _ in FAULTS:
        work_due()
        look()
        later(seconds=20)
    work_due()
    assert len(ask(Item)) == 2
    # A test bank, two banks in one session, and a repair.
    connect(alice, **small_user | {"institution_id": "ins_109510"})
    with monkeypatch.context() as patch:
        offer_several(bank_server, patch)
        come_back(
            press(CONNECT),
            bank=["ins_109511", "ins_109512"],
            password=["pass_good"] * 2,
            **ONE_ACCOUNT,
        )
    assert len(ask(Item)) == 5
    control.change(ask(Item)[0].plaid_item_id, error="ITEM_LOGIN_REQUIRED")
    press("/finance/items/1/sync")
    work_due()
    assert ask(Item)[0].state == "login_required"
    come_back(press("/finance/items/1/reconnect"))
    assert ask(Item)[0].state == "good"
    # Disconnected while Plaid fails, then for good.
    bank_server.misbehave(kind="truncate", path=REMOVE, times=1)
    press("/finance/items/1/disconnect", history="keep")
    press("/finance/items/2/disconnect", history="delete")
    work_due()
    look()
    later(minutes=1)
    work_due()
    assert [item.state for item in ask(Item)][:2] == ["disconnected", "deleted"]
    read_everything()
    look()
    assert not any(item.access_token for item in ask(Item)[:2])


def test_the_search_finds_a_token_that_is_in_clear(alice, issued, work_due):
    """The test above would see one: the sandbox's address of a link has its secret."""
    address = alice.client.post(CONNECT).location
    assert any(secret in address for secret in issued())
