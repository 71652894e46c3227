"""The webhook route: what it accepts, what it stores, and when it answers 200."""

import hashlib
import io
import json
import sqlite3
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.utils import base64url_decode, base64url_encode
from sqlalchemy import event as listen_for
from sqlalchemy import text, update
from sqlalchemy.engine import make_url

from plaidapp import create_app, policy
from plaidapp.bank.link_payloads import hash_of
from plaidapp.extensions import db
from plaidapp.policy import KEY_ASK_AGAIN, KEY_LOOKUPS, KEY_SHARE, KEY_TRUSTED
from plaidapp.store import Account, Item, Pull, User, Webhook, WebhookKey
from plaidapp.store.base.types import now
from plaidapp.store.connections import link_sessions
from plaidapp.store.people import users
from plaidapp.store.pulls import kinds, pulls
from plaidapp.webhooks import inbox
from plaidapp.webhooks.handlers import HANDLERS

from .conftest import PATH, SYNC, as_sent

KEY_PATH = "/webhook_verification_key/get"
STRANGERS_KEY = ec.generate_private_key(ec.SECP256R1())


def forged(body: bytes, kid: str = "nobodys", key=STRANGERS_KEY, **claims) -> str:
    """Return a well-formed token that is not signed with Plaid's key."""
    valid = {"iat": int(time.time()), "request_body_sha256": hashlib.sha256(body).hexdigest()}
    return jwt.encode(valid | claims, key, "ES256", headers={"kid": kid})


@pytest.fixture
def change(app):
    def write(table, **values):
        with app.app_context():
            db.session.execute(update(table).values(**values))
            db.session.commit()

    return write


@pytest.fixture
def another(app):
    """Start another web process, with its own connections and a changed setting."""
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
def lookups(bank_server):
    """Return how often Plaid was asked for a key."""
    return lambda: bank_server.faults.rulebook.report()["calls"].get(KEY_PATH, 0)


@pytest.fixture
def impatient(monkeypatch):
    """Requests don't wait for a key that another request is getting."""
    monkeypatch.setattr(policy, "KEY_PATIENCE", 0)


def test_a_webhook_is_committed_before_it_is_answered(deliver, ask, connected):
    item = connected("alice")
    event = SYNC | {"item_id": item.plaid_item_id, "historical_update_complete": True}

    assert deliver(event) == 200

    (kept,) = ask(Webhook)
    assert (kept.type, kept.code) == ("TRANSACTIONS", "SYNC_UPDATES_AVAILABLE")
    assert (kept.plaid_item_id, kept.item_id) == (item.plaid_item_id, item.id)
    assert kept.body == as_sent(event).decode()
    assert kept.received_at == kept.handled_at
    assert now() - kept.received_at < timedelta(minutes=1)


def test_the_queue_is_rung_for_the_new_pull(app, deliver, ask, connected):
    item = connected("alice")

    deliver(SYNC | {"item_id": item.plaid_item_id})

    (pull,) = ask(Pull)
    assert app.extensions["redis"].lrange("rq:queue:default", 0, -1) == [
        f"pull-{pull.id}-0".encode()
    ]


@pytest.mark.both_databases
def test_a_webhook_takes_few_statements(deliver, connected, statements):
    """Most of its time is theirs. The first one adds a pull, the second one finds it under way."""
    event = SYNC | {"item_id": connected("alice").plaid_item_id}
    deliver()  # the key is known
    taken = []
    for _ in range(2):
        statements.clear()
        assert deliver(event) == 200
        taken.append(len([each for each in statements if not each.startswith("BEGIN")]))
    assert taken == [6, 4]


def test_no_webhook_is_lost_while_redis_is_away(another, deliver, ask, connected):
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


def test_a_forged_webhook_is_refused_without_asking_plaid(deliver, ask, lookups):
    answers = {what: deliver(token=make(as_sent(SYNC))) for what, make in FORGED.items()}

    assert answers == dict.fromkeys(FORGED, 401)
    assert ask(Webhook) == ask(WebhookKey) == []
    assert lookups() == 0


def test_a_webhook_without_a_signature_is_refused(client, ask):
    assert client.post(PATH, json=SYNC).status_code == 401
    assert ask(Webhook) == []


def test_a_key_id_that_plaid_does_not_know_is_refused(deliver, ask, lookups):
    for _ in range(3):
        assert deliver(token=forged(as_sent(SYNC))) == 401
    assert lookups() == 1
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


def test_only_post_is_allowed(client, ask, sign):
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


def test_a_body_of_64_kb_is_the_limit(deliver, ask):
    assert deliver(padded(64 * 1024)) == 200
    assert deliver(padded(64 * 1024 + 1)) == 413
    assert deliver(padded(1024 * 1024 + 1)) == 413
    assert len(ask(Webhook)) == 1


@pytest.mark.parametrize(("size", "status"), [(64 * 1024, 200), (64 * 1024 + 1, 413)])
def test_a_body_without_content_length_has_the_same_limit(client, sign, ask, size, status):
    body = padded(size)
    answer = client.post(
        PATH,
        input_stream=io.BytesIO(body),
        headers={"Plaid-Verification": sign(body), "Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True, "CONTENT_LENGTH": ""},
    )
    assert answer.status_code == status
    assert len(ask(Webhook)) == (status == 200)


def test_no_200_while_the_database_is_away(another, deliver):
    without = another(database_url="postgresql+psycopg://nobody@127.0.0.1:1/none")

    assert deliver(to=without) == 503
    assert deliver(to=without, token="forged") == 401


@contextmanager
def refusing_rows(app):
    """The database answers, but stores no webhook."""
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
    """A web process that waits only a moment for a lock."""
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


@pytest.mark.both_databases
def test_no_200_while_the_webhook_cant_be_stored(
    app, short_of_patience, deliver, ask, sign, connected
):
    item = connected("alice")
    event = SYNC | {"item_id": item.plaid_item_id}
    token = sign(as_sent(event))
    assert deliver(to=short_of_patience) == 200  # has the key from now on

    with refusing_rows(app):
        assert deliver(event, token=token, to=short_of_patience) == 503
    assert ask(Pull) == []

    assert deliver(event, token=token, to=short_of_patience) == 200
    assert [kept.item_id for kept in ask(Webhook)] == [None, item.id]
    assert len(ask(Pull)) == 1


def test_a_key_that_cant_be_fetched_is_no_forgery(
    bank_server, deliver, ask, change, lookups, impatient
):
    bank_server.misbehave(path=KEY_PATH, kind="reset")
    assert [deliver(), deliver()] == [503, 503]
    assert lookups() == 1
    assert ask(Webhook) == []

    bank_server.faults.rulebook.clear()
    assert deliver() == 503  # Plaid was asked within the last minute
    change(WebhookKey, asked_at=now() - KEY_ASK_AGAIN - timedelta(seconds=1))
    assert deliver() == 200


def test_a_bank_that_is_down_is_no_forgery(another, deliver, ask):
    assert deliver(to=another(plaid_url="http://127.0.0.1:1")) == 503
    assert ask(Webhook) == []


@pytest.mark.parametrize("fault", ["garbage", "wrong_types", "truncate"])
def test_a_malformed_key_is_asked_for_again(bank_server, deliver, change, impatient, fault):
    bank_server.misbehave(path=KEY_PATH, kind=fault)
    assert deliver() == 503
    bank_server.faults.rulebook.clear()
    change(WebhookKey, asked_at=now() - KEY_ASK_AGAIN - timedelta(seconds=1))
    assert deliver() == 200


def test_a_key_is_looked_up_once_for_all_processes(another, app, deliver, lookups):
    processes = [app, another()]
    for _ in range(3):
        for process in processes:
            assert deliver(to=process) == 200
            assert deliver(to=process, token=forged(as_sent(SYNC))) == 401
    assert lookups() == 2  # Plaid's key, and one that it does not know


def test_concurrent_requests_look_a_key_up_once(another, app, deliver, lookups, monkeypatch):
    monkeypatch.setattr(policy, "KEY_PATIENCE", 30)
    processes = [app, another()]
    together = threading.Barrier(8)

    def knock(number):
        together.wait()
        return deliver(to=processes[number % 2])

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(knock, range(8))) == [200] * 8
    assert lookups() == 1


def test_an_unknown_key_is_asked_for_once_a_minute(deliver, change, lookups):
    token = forged(as_sent(SYNC))
    assert deliver(token=token) == deliver(token=token) == 401
    assert lookups() == 1
    change(WebhookKey, asked_at=now() - KEY_ASK_AGAIN - timedelta(seconds=1))
    assert deliver(token=token) == deliver(token=token) == 401
    assert lookups() == 2


def test_a_key_is_cached_in_the_process(deliver, change):
    assert deliver() == 200
    change(WebhookKey, jwk="")
    assert deliver() == 200


def test_a_known_key_is_asked_for_again_after_a_day(deliver, change, lookups, monkeypatch):
    monkeypatch.setattr(policy, "KEY_CACHED", -1)
    assert deliver() == 200
    change(WebhookKey, asked_at=now() - KEY_TRUSTED + timedelta(minutes=1))
    assert deliver() == 200
    assert lookups() == 1
    change(WebhookKey, asked_at=now() - KEY_TRUSTED - timedelta(minutes=1))
    assert deliver() == deliver() == 200
    assert lookups() == 2


def flood(app, event, number, addresses):
    """Send forged webhooks, each with a key id of its own. Return how many got which answer."""
    client, body = app.test_client(), as_sent(event)
    answers = Counter()
    for each in range(number):
        headers = {"Plaid-Verification": forged(body, f"made-up-{each}")}
        origin = {"REMOTE_ADDR": addresses[each % len(addresses)]}
        answer = client.post(PATH, data=body, headers=headers, environ_overrides=origin)
        answers[answer.status_code] += 1
    return answers


MANY = [f"198.51.{number // 100}.{number % 100}" for number in range(200)]
FLOODS = {
    "one network": (SYNC, [f"2001:db8::{number:x}" for number in range(60)]),
    "200 addresses": (SYNC | {"item_id": "of-nobody"}, MANY),
}


@pytest.mark.parametrize(("event", "addresses"), FLOODS.values(), ids=FLOODS)
def test_made_up_key_ids_delay_no_genuine_webhook(
    app, deliver, ask, lookups, connected, impatient, monkeypatch, event, addresses
):
    """The genuine one has a key that nobody has seen yet, and is accepted in its own request."""
    monkeypatch.setattr(policy, "KEY_WINDOW", timedelta(hours=1))  # however slow this machine is
    item = connected("alice")
    answers = flood(app, event, len(addresses), addresses)
    forged_lookups = lookups()

    assert deliver(SYNC | {"item_id": item.plaid_item_id}) == 200

    assert set(answers) <= {401, 503}
    assert answers[401] == forged_lookups <= KEY_LOOKUPS
    assert ask(Item.sync_requested) == [1]
    assert len(ask(WebhookKey)) == forged_lookups + 1


def test_who_knows_the_items_id_delays_it_by_seconds(app, deliver, connected, monkeypatch):
    item = connected("alice")
    event = SYNC | {"item_id": item.plaid_item_id}
    with monkeypatch.context() as patch:
        patch.setattr(policy, "KEY_PATIENCE", 0)
        assert flood(app, event, 50, ["127.0.0.1"])[503] > 0
    assert deliver(event) == 200


def test_a_webhook_of_a_session_of_link_has_a_share_too(app, deliver, impatient):
    with app.app_context():
        user = users.add("alice", "alice@example.com", "no hash")
        db.session.flush()
        session = link_sessions.add(user.id, kinds.CONNECT)
        session.token_hash = hash_of("link-sandbox-1")
        session.pull_id = pulls.add(user.id, kinds.CONNECT).id
        db.session.commit()
    flood(app, SYNC, 60, MANY)
    event = {"webhook_type": "LINK", "webhook_code": "SESSION_FINISHED"}
    assert deliver(event | {"link_token": "link-sandbox-1"}) == 200


def test_few_requests_wait_for_a_key(another, deliver, connected, monkeypatch):
    item = connected("alice")
    monkeypatch.setattr(policy, "KEY_WAITERS", 0)
    process = another()
    event = SYNC | {"item_id": item.plaid_item_id}
    assert flood(process, event, KEY_SHARE + 2, ["127.0.0.1"]) == {401: KEY_SHARE, 503: 2}


def spellings(token: str) -> dict[str, str]:
    """Return the token with other texts of a signature that fits as well."""
    signed, _, signature = token.rpartition(".")
    raw = base64url_decode(signature)
    s = ec.SECP256R1().group_order - int.from_bytes(raw[32:])
    twin = base64url_encode(raw[:32] + s.to_bytes(32)).decode()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet[alphabet.index(signature[-1]) | 1]  # its four lowest bits count for nothing
    return {
        "twin": f"{signed}.{twin}",
        "padded": f"{token}==",
        "padded twin": f"{signed}.{twin}==",
        "spare bits": token[:-1] + last,
        "space": token[:-20] + " " + token[-20:],
        "other letters": f"{token[:-20]}!{token[-20:]}",
    }


def test_another_spelling_of_a_signature_is_the_same_delivery(deliver, ask, sign, connected):
    item = connected("alice")
    event = SYNC | {"item_id": item.plaid_item_id}
    token = sign(as_sent(event))
    assert deliver(event, token=token) == 200

    answers = {what: deliver(event, token=text) for what, text in spellings(token).items()}

    assert answers["twin"] == answers["padded"] == 200
    assert set(answers.values()) <= {200, 401}
    (kept,) = ask(Webhook)
    assert token.rpartition(".")[2] not in kept.token
    assert ask(Item.sync_requested) == [1]
    assert deliver(event, token=sign(as_sent(event))) == 200
    assert ask(Item.sync_requested) == [2]


def test_a_repeated_delivery_is_stored_once(deliver, ask, sign, connected):
    item = connected("alice")
    event = SYNC | {"item_id": item.plaid_item_id}
    token = sign(as_sent(event))

    assert [deliver(event, token=token) for _ in range(3)] == [200] * 3

    assert len(ask(Webhook)) == 1
    assert ask(Item.sync_requested) == [1]


def test_an_equal_body_with_a_new_signature_is_another_event(deliver, ask, connected):
    item = connected("alice")
    event = SYNC | {"item_id": item.plaid_item_id}

    assert deliver(event) == deliver(event) == 200

    assert len({kept.body for kept in ask(Webhook)}) == 1
    assert len(ask(Webhook)) == 2
    assert ask(Item.sync_requested) == [2]


@pytest.mark.both_databases
def test_concurrent_deliveries_are_each_counted(another, app, deliver, ask, sign, connected):
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

    with app.app_context():
        inbox.handle_waiting()  # those that met a lock for longer than an answer may take
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
def test_an_unknown_webhook_is_only_stored(deliver, ask, connected, event):
    item = connected("alice")

    assert deliver(event | {"item_id": item.plaid_item_id}) == 200

    (kept,) = ask(Webhook)
    assert (kept.type, kept.code) == (event.get("webhook_type"), event.get("webhook_code"))
    assert kept.item_id == item.id
    assert kept.handled_at is None
    assert (ask(Item.state), ask(Item.sync_requested), ask(Pull)) == (["good"], [0], [])


def test_a_webhook_for_an_unknown_item_is_answered_and_dropped(deliver, ask, connected):
    """Its person may have had everything deleted."""
    connected("alice")
    for kind, code in HANDLERS:
        assert deliver({"webhook_type": kind, "webhook_code": code, "item_id": "of-nobody"}) == 200

    assert ask(Webhook) == []
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
def test_any_body_that_plaid_has_signed_is_stored(deliver, ask, body):
    assert deliver(body) == 200

    (kept,) = ask(Webhook)
    assert kept.body == body.decode(errors="replace").replace("\0", "")
    assert (kept.item_id, kept.handled_at) == (None, None)


def test_a_webhook_for_alices_item_does_not_touch_charlie(app, deliver, ask, connected):
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
