"""The webhook route: what it takes, what it keeps, and when it says 200."""

import hashlib
import io
import json
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import event as listen_for
from sqlalchemy import text, update
from sqlalchemy.engine import make_url

from plaidapp import create_app, policy
from plaidapp.extensions import db
from plaidapp.policy import KEY_ASK_AGAIN, KEY_LOOKUPS, KEY_TRUSTED
from plaidapp.store import Account, Item, Pull, User, Webhook, WebhookKey
from plaidapp.store.base.types import now
from plaidapp.store.connections import items
from plaidapp.store.people import users
from plaidapp.webhooks.handlers import HANDLERS

PATH = "/webhooks/plaid"
KEY_PATH = "/webhook_verification_key/get"
SYNC = {"webhook_type": "TRANSACTIONS", "webhook_code": "SYNC_UPDATES_AVAILABLE"}
STRANGERS_KEY = ec.generate_private_key(ec.SECP256R1())


def as_sent(event) -> bytes:
    return json.dumps(event, indent=2).encode()


def forged(body: bytes, kid: str = "nobodys", key=STRANGERS_KEY, **claims) -> str:
    """Well made, but not with Plaid's key."""
    said = {"iat": int(time.time()), "request_body_sha256": hashlib.sha256(body).hexdigest()}
    return jwt.encode(said | claims, key, "ES256", headers={"kid": kid})


@pytest.fixture
def sign(bank_server):
    """Signs as Plaid does; each time anew."""
    return bank_server.app.extensions["sandbox"].webhook_queue.key.sign


@pytest.fixture
def deliver(app, sign):
    def post(event=SYNC, *, token=None, to=app):
        body = event if isinstance(event, bytes) else as_sent(event)
        headers = {"Plaid-Verification": sign(body) if token is None else token}
        return to.test_client().post(PATH, data=body, headers=headers).status_code

    return post


@pytest.fixture
def change(app):
    def write(table, **values):
        with app.app_context():
            db.session.execute(update(table).values(**values))
            db.session.commit()

    return write


@pytest.fixture
def connected(app):
    """Somebody's Item, with no bank behind it."""

    def connect(name):
        with app.app_context():
            user = users.add(name, f"{name}@example.com", "no hash")
            db.session.flush()
            item = items.add(user_id=user.id, plaid_item_id=f"of-{name}", access_token=b"")
            db.session.add(
                Account(
                    user_id=user.id,
                    item_id=item.id,
                    plaid_account_id="checking",
                    name="Checking",
                    type="depository",
                    updated_at=now(),
                )
            )
            db.session.commit()
            return item

    return connect


@pytest.fixture
def another(app):
    """A further web process: its own connections, and a setting changed."""
    made = []

    def make(**changes):
        made.append(create_app(replace(app.config["PLAIDAPP"], **changes)))
        return made[-1]

    yield make
    for other in made:
        with other.app_context():
            db.engine.dispose()
        other.extensions["redis"].close()


@pytest.fixture
def look_ups(bank_server):
    """How often Plaid was asked for a key."""
    return lambda: bank_server.faults.rulebook.report()["calls"].get(KEY_PATH, 0)


@pytest.fixture
def impatient(monkeypatch):
    """Nobody waits for a key that another request is asking for."""
    monkeypatch.setattr(policy, "KEY_PATIENCE", 0)


def test_a_webhook_is_committed_when_it_is_answered(deliver, ask, connected):
    item = connected("alice")
    event = SYNC | {"item_id": item.plaid_item_id, "historical_update_complete": True}

    assert deliver(event) == 200

    (kept,) = ask(Webhook)
    assert (kept.type, kept.code) == ("TRANSACTIONS", "SYNC_UPDATES_AVAILABLE")
    assert (kept.plaid_item_id, kept.item_id) == (item.plaid_item_id, item.id)
    assert kept.body == as_sent(event).decode()
    assert kept.received_at == kept.handled_at
    assert now() - kept.received_at < timedelta(minutes=1)


def test_the_queue_is_rung_for_what_there_is_to_pull(app, deliver, ask, connected):
    item = connected("alice")

    deliver(SYNC | {"item_id": item.plaid_item_id})

    (pull,) = ask(Pull)
    assert app.extensions["redis"].lrange("rq:queue:default", 0, -1) == [
        f"pull-{pull.id}-0".encode()
    ]


def test_a_queue_that_is_away_loses_no_webhook(another, deliver, ask, connected):
    item = connected("alice")
    without_redis = another(redis_url="redis://127.0.0.1:1/0")

    assert deliver(SYNC | {"item_id": item.plaid_item_id}, to=without_redis) == 200

    assert [(pull.state, pull.rung_at) for pull in ask(Pull)] == [("queued", None)]
    assert len(ask(Webhook)) == 1


FORGED = {
    "no token": lambda body: "",
    "garbage": lambda body: "a.b.c",
    "a shared secret": lambda body: jwt.encode({"iat": int(time.time())}, "s" * 32, "HS256"),
    "another body": lambda body: forged(body + b" "),
    "old": lambda body: forged(body, iat=int(time.time()) - 600),
    "in the future": lambda body: forged(body, iat=int(time.time()) + 600),
    "times beyond numbers": lambda body: forged(body, iat=10**400),
    "no text in any language": lambda body: forged(body, request_body_sha256="\ud800"),
    "not ASCII": lambda body: "é" * 100,
    "too long": lambda body: "a" * 5000,
    "a key id in a path": lambda body: forged(body, kid="../../key"),
}


def test_what_is_forged_is_refused_before_anybody_is_asked(deliver, ask, look_ups):
    answers = {what: deliver(token=make(as_sent(SYNC))) for what, make in FORGED.items()}

    assert answers == dict.fromkeys(FORGED, 401)
    assert ask(Webhook) == ask(WebhookKey) == []
    assert look_ups() == 0


def test_a_webhook_without_a_signature_is_refused(client, ask):
    assert client.post(PATH, json=SYNC).status_code == 401
    assert ask(Webhook) == []


def test_a_key_id_that_plaid_does_not_know_is_refused(deliver, ask, look_ups):
    for _ in range(3):
        assert deliver(token=forged(as_sent(SYNC))) == 401
    assert look_ups() == 1
    assert ask(Webhook) == []


def test_plaids_key_id_with_another_key_is_refused(deliver, ask, bank_server):
    kid = bank_server.app.extensions["sandbox"].webhook_queue.key.kid
    assert deliver(token=forged(as_sent(SYNC), kid)) == 401
    assert ask(Webhook) == []


def test_a_key_that_has_expired_is_refused(deliver, ask, change, monkeypatch):
    monkeypatch.setattr(policy, "KEY_CACHED", -1)
    assert deliver() == 200
    (known,) = ask(WebhookKey)
    change(WebhookKey, jwk=json.dumps(json.loads(known.jwk) | {"expired_at": 1}))

    assert deliver() == 401


def test_only_posts_are_taken(client, ask, sign):
    for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE"):
        headers = {"Plaid-Verification": sign(b"{}")}
        assert client.open(PATH, method=method, data=b"{}", headers=headers).status_code == 405
    assert ask(Webhook) == []


def test_plaid_needs_no_csrf_token(app, deliver):
    app.config["WTF_CSRF_ENABLED"] = True
    assert app.test_client().post("/auth/login").status_code == 400
    assert deliver() == 200


def padded(size: int) -> bytes:
    body = as_sent(SYNC)
    return body + b" " * (size - len(body))


def test_a_body_of_64_kb_is_the_largest(deliver, ask):
    assert deliver(padded(64 * 1024)) == 200
    assert deliver(padded(64 * 1024 + 1)) == 413
    assert deliver(padded(1024 * 1024 + 1)) == 413
    assert len(ask(Webhook)) == 1


@pytest.mark.parametrize(("size", "status"), [(64 * 1024, 200), (64 * 1024 + 1, 413)])
def test_a_body_that_does_not_say_how_long_it_is_has_the_same_limit(
    client, sign, ask, size, status
):
    body = padded(size)
    answer = client.post(
        PATH,
        input_stream=io.BytesIO(body),
        headers={"Plaid-Verification": sign(body), "Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True, "CONTENT_LENGTH": ""},
    )
    assert answer.status_code == status
    assert len(ask(Webhook)) == (status == 200)


def test_a_database_that_is_away_gets_no_200(another, deliver):
    without = another(database_url="postgresql+psycopg://nobody@127.0.0.1:1/none")

    assert deliver(to=without) == 503
    assert deliver(to=without, token="forged") == 401


@contextmanager
def refusing_rows(app):
    """The database answers, and will not store a webhook."""
    url = make_url(app.config["SQLALCHEMY_DATABASE_URI"])
    if url.get_backend_name() == "sqlite":
        writer = sqlite3.connect(url.database, isolation_level=None)
        writer.execute("BEGIN IMMEDIATE")
        yield
        writer.close()
        return
    with app.app_context(), db.engine.connect() as connection:
        connection.execute(text("LOCK TABLE webhook IN ACCESS EXCLUSIVE MODE"))
        yield


@pytest.fixture
def short_of_patience(app, another):
    """A web process that waits for a lock no longer than a moment."""
    url = make_url(app.config["SQLALCHEMY_DATABASE_URI"])
    if url.get_backend_name() == "postgresql":
        url = url.update_query_dict({"options": "-c lock_timeout=50ms"})
        return another(database_url=url.render_as_string(hide_password=False))
    other = another()
    with other.app_context():
        listen_for.listen(
            db.engine, "connect", lambda raw, _: raw.execute("PRAGMA busy_timeout=50")
        )
    return other


def test_a_webhook_is_not_taken_until_it_can_be_kept(
    app, short_of_patience, deliver, ask, sign, connected
):
    item = connected("alice")
    event = SYNC | {"item_id": item.plaid_item_id}
    token = sign(as_sent(event))
    assert deliver(to=short_of_patience) == 200  # knows the key from now on

    with refusing_rows(app):
        assert deliver(event, token=token, to=short_of_patience) == 503
    assert ask(Pull) == []

    assert deliver(event, token=token, to=short_of_patience) == 200
    assert [kept.item_id for kept in ask(Webhook)] == [None, item.id]
    assert len(ask(Pull)) == 1


def test_a_key_that_cant_be_had_is_no_forgery(
    bank_server, deliver, ask, change, look_ups, impatient
):
    bank_server.misbehave(path=KEY_PATH, kind="reset")
    assert [deliver(), deliver()] == [503, 503]
    assert look_ups() == 1
    assert ask(Webhook) == []

    bank_server.faults.rulebook.clear()
    assert deliver() == 503  # asked within a minute
    change(WebhookKey, asked_at=now() - KEY_ASK_AGAIN - timedelta(seconds=1))
    assert deliver() == 200


def test_a_bank_that_is_down_is_no_forgery(another, deliver, ask):
    assert deliver(to=another(plaid_url="http://127.0.0.1:1")) == 503
    assert ask(Webhook) == []


@pytest.mark.parametrize("fault", ["garbage", "wrong_types", "truncate"])
def test_a_key_that_makes_no_sense_is_asked_for_again(
    bank_server, deliver, change, impatient, fault
):
    bank_server.misbehave(path=KEY_PATH, kind=fault)
    assert deliver() == 503
    bank_server.faults.rulebook.clear()
    change(WebhookKey, asked_at=now() - KEY_ASK_AGAIN - timedelta(seconds=1))
    assert deliver() == 200


def test_a_key_is_looked_up_once_for_all_processes(another, app, deliver, look_ups):
    processes = [app, another()]
    for _ in range(3):
        for process in processes:
            assert deliver(to=process) == 200
            assert deliver(to=process, token=forged(as_sent(SYNC))) == 401
    assert look_ups() == 2  # Plaid's, and one that it does not know


def test_a_key_is_looked_up_once_even_by_many_at_once(another, app, deliver, look_ups, monkeypatch):
    monkeypatch.setattr(policy, "KEY_PATIENCE", 30)
    processes = [app, another()]
    together = threading.Barrier(8)

    def knock(number):
        together.wait()
        return deliver(to=processes[number % 2])

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(knock, range(8))) == [200] * 8
    assert look_ups() == 1


def test_an_unknown_key_is_asked_for_once_a_minute(deliver, change, look_ups):
    token = forged(as_sent(SYNC))
    assert deliver(token=token) == deliver(token=token) == 401
    assert look_ups() == 1
    change(WebhookKey, asked_at=now() - KEY_ASK_AGAIN - timedelta(seconds=1))
    assert deliver(token=token) == deliver(token=token) == 401
    assert look_ups() == 2


def test_a_key_is_remembered_without_the_database(deliver, change):
    assert deliver() == 200
    change(WebhookKey, jwk="")
    assert deliver() == 200


def test_a_known_key_is_asked_for_again_after_a_day(deliver, change, look_ups, monkeypatch):
    monkeypatch.setattr(policy, "KEY_CACHED", -1)
    assert deliver() == 200
    change(WebhookKey, asked_at=now() - KEY_TRUSTED + timedelta(minutes=1))
    assert deliver() == 200
    assert look_ups() == 1
    change(WebhookKey, asked_at=now() - KEY_TRUSTED - timedelta(minutes=1))
    assert deliver() == deliver() == 200
    assert look_ups() == 2


def test_made_up_key_ids_become_few_look_ups(another, app, deliver, look_ups, impatient):
    assert deliver() == 200
    processes = [app, another()]
    answers = [
        deliver(token=forged(as_sent(SYNC), f"made-up-{number}"), to=processes[number % 2])
        for number in range(KEY_LOOKUPS + 5)
    ]
    assert answers == [401] * (KEY_LOOKUPS - 1) + [503] * 6
    assert look_ups() == KEY_LOOKUPS
    assert deliver() == 200  # a key that is known needs no look-up


def test_a_delivery_that_is_repeated_is_kept_once(deliver, ask, sign, connected):
    item = connected("alice")
    event = SYNC | {"item_id": item.plaid_item_id}
    token = sign(as_sent(event))

    assert [deliver(event, token=token) for _ in range(3)] == [200] * 3

    assert len(ask(Webhook)) == 1
    assert ask(Item.sync_requested) == [1]


def test_an_equal_body_signed_anew_is_another_event(deliver, ask, connected):
    item = connected("alice")
    event = SYNC | {"item_id": item.plaid_item_id}

    assert deliver(event) == deliver(event) == 200

    assert len({kept.body for kept in ask(Webhook)}) == 1
    assert len(ask(Webhook)) == 2
    assert ask(Item.sync_requested) == [2]


def test_deliveries_that_come_all_at_once_are_counted_one_by_one(
    another, app, deliver, ask, sign, connected
):
    item = connected("alice")
    event = SYNC | {"item_id": item.plaid_item_id}
    tokens = [sign(as_sent(event)) for _ in range(6)] * 2
    processes = [app, another()]
    deliver()  # the key is known
    together = threading.Barrier(len(tokens))

    def knock(number):
        together.wait()
        return deliver(event, token=tokens[number], to=processes[number % 2])

    with ThreadPoolExecutor(len(tokens)) as threads:
        assert set(threads.map(knock, range(len(tokens)))) == {200}

    assert len(ask(Webhook)) == 7
    assert ask(Item.sync_requested) == [6]
    assert len(ask(Pull)) == 1


UNKNOWN = {
    "a code": {"webhook_type": "TRANSACTIONS", "webhook_code": "NEW_IN_2031"},
    "a type": {"webhook_type": "HOLDINGS", "webhook_code": "DEFAULT_UPDATE"},
    "a pair": {"webhook_type": "TRANSACTIONS", "webhook_code": "ERROR"},
    "no code": {"webhook_type": "ITEM"},
    "nothing": {},
}


@pytest.mark.parametrize("event", UNKNOWN.values(), ids=UNKNOWN)
def test_an_unknown_kind_is_kept_and_nothing_else(deliver, ask, connected, event):
    item = connected("alice")

    assert deliver(event | {"item_id": item.plaid_item_id}) == 200

    (kept,) = ask(Webhook)
    assert (kept.type, kept.code) == (event.get("webhook_type"), event.get("webhook_code"))
    assert kept.item_id == item.id
    assert kept.handled_at is None
    assert (ask(Item.state), ask(Item.sync_requested), ask(Pull)) == (["good"], [0], [])


def test_an_item_that_is_not_ours_is_kept_and_nothing_else(deliver, ask, connected):
    connected("alice")
    for kind, code in HANDLERS:
        assert deliver({"webhook_type": kind, "webhook_code": code, "item_id": "of-nobody"}) == 200

    assert {(kept.plaid_item_id, kept.item_id) for kept in ask(Webhook)} == {("of-nobody", None)}
    assert len(ask(Webhook)) == len(HANDLERS)
    assert (ask(Item.state), ask(Item.sync_requested), ask(Pull)) == (["good"], [0], [])


ODD_BODIES = {
    "empty": b"",
    "text": b"hello",
    "not UTF-8": b"\xff\xfe\0",
    "NUL": b'{"webhook_type": "a\0b"}',
    "NUL in JSON": rb'{"webhook_type": "a\u0000b", "item_id": "\u0000"}',
    "half": as_sent(SYNC)[:20],
    "a list": b"[]",
    "a number": b"5",
    "null": b"null",
    "wrong types": b'{"webhook_type": 5, "item_id": ["x"], "error": 7}',
    "half an error": b'{"webhook_type": "ITEM", "webhook_code": "ERROR", "error": {}}',
    "surrogate": rb'{"webhook_type": "\ud800"}',
    "deep": b"[" * 60_000,
    "deep inside": b'{"more":' * 8_000,
}


@pytest.mark.parametrize("body", ODD_BODIES.values(), ids=ODD_BODIES)
def test_whatever_plaid_has_signed_is_kept(deliver, ask, body):
    assert deliver(body) == 200

    (kept,) = ask(Webhook)
    assert kept.body == body.decode(errors="replace").replace("\0", "")
    assert (kept.item_id, kept.handled_at) == (None, None)


def test_a_webhook_of_alices_item_never_touches_charlie(app, deliver, ask, connected):
    alices, charlies = connected("alice"), connected("charlie")

    def of_charlie():
        with app.app_context(), db.engine.connect() as connection:
            return [
                connection.execute(table.select().where(column == charlies.user_id)).all()
                for table, column in (
                    (User.__table__, User.id),
                    (Item.__table__, Item.user_id),
                    (Account.__table__, Account.user_id),
                    (Pull.__table__, Pull.user_id),
                )
            ]

    before = of_charlie()
    for kind, code in HANDLERS:
        event = {"webhook_type": kind, "webhook_code": code, "account_id": "checking"}
        assert deliver(event | {"item_id": alices.plaid_item_id}) == 200

    assert of_charlie() == before
    assert {kept.item_id for kept in ask(Webhook)} == {alices.id}
    assert [item.state == "good" for item in ask(Item)] == [False, True]
