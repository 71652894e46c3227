"""How often a password may be guessed, and who still gets in meanwhile."""

import logging
import re
import socket
import threading
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event as listen

from plaidapp import create_app, policy
from plaidapp.auth import counting, passwords
from plaidapp.extensions import db
from plaidapp.jobs import queue
from plaidapp.store import KnownDevice, Tries
from plaidapp.store.people import known_devices, users
from plaidapp.store.people.tries import Limit, Verdict
from tests.conftest import PASSWORD
from tests.pages import Page, set_cookie

WRONG = "not this one, surely"
SENTENCE = "There were too many wrong log-ins. Try again in {}."
NOON = "2026-11-26T12:00:{}Z"


@pytest.fixture(params=["Redis", "the database"])
def counter(request, app, monkeypatch):
    """What counts tries: Redis, and the database while Redis is away."""
    if request.param == "the database":
        monkeypatch.setitem(app.extensions, "redis", queue.connect("redis://localhost:1"))
    return request.param


@pytest.fixture
def log_in(app):
    """Log in from a browser that is new, or from the given one."""

    def post(name="alice", password=WRONG, browser=None, address="203.0.113.1", **more):
        return (browser or app.test_client()).post(
            "/auth/login",
            data={"username": name, "password": password, **more},
            environ_base={"REMOTE_ADDR": address},
        )

    return post


@pytest.fixture
def tried(monkeypatch):
    """The passwords that were looked at. Without hashing: no test here is about hashes."""
    looked_at = []

    def matches(stored_hash, password):
        looked_at.append(password)
        return stored_hash is not None and password == PASSWORD

    monkeypatch.setattr(passwords, "matches", matches)
    return looked_at


def shown(answer, name):
    """What the answer says to a stranger, without what differs between any two requests."""
    text = re.sub(r'(csrf_token"[^>]*value=")[^"]*', r"\1", answer.text).replace(name, "NAME")
    return answer.status_code, answer.headers.get("Retry-After"), text


@pytest.mark.both_databases
@pytest.mark.parametrize("name", ["alice", "ALICE@example.com", "nobody"])
def test_five_wrong_log_ins_cost_nothing_and_then_delays_grow(
    counter, log_in, tried, alice, set_clock, name
):
    set_clock(NOON.format("00"))
    assert [log_in(name).status_code for _ in range(5)] == [401] * 5

    sixth = log_in(name, next="/finance/transactions")
    assert (sixth.status_code, sixth.headers["Retry-After"]) == (429, "30")
    assert SENTENCE.format("30 seconds") in sixth.text
    assert Page(sixth.text).value("username") == name
    assert Page(sixth.text).value("next") == "/finance/transactions"
    assert 'role="alert"' in sixth.text
    assert WRONG not in sixth.text
    assert len(tried) == 6

    set_clock(NOON.format("29"))
    for password in (WRONG, PASSWORD):
        answer = log_in(name, password)
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    assert len(tried) == 6, "a refused try was looked at"

    set_clock(NOON.format("30"))
    answer = log_in(name)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "60")
    assert SENTENCE.format("1 minute") in answer.text
    assert len(tried) == 7


@pytest.mark.both_databases
def test_known_and_unknown_names_are_answered_alike_all_along(
    counter, log_in, tried, alice, set_clock
):
    for second in ("00",) * 8 + ("30", "31"):
        set_clock(NOON.format(second))
        assert shown(log_in("alice"), "alice") == shown(log_in("nobody"), "nobody")


def test_the_name_and_the_address_of_a_person_are_one_account(counter, log_in, tried, alice):
    for name in ("alice", " Alice ", "alice@example.com", "\uff41lice", "ALICE@example.com"):
        assert log_in(name).status_code == 401
    assert log_in("alice").status_code == 429
    assert log_in("alice@example.com").status_code == 429
    assert log_in("charlie").status_code == 401, "another account"


def test_a_success_starts_the_count_again(counter, log_in, tried, alice):
    for _ in range(3):
        assert [log_in().status_code for _ in range(5)] == [401] * 5
        assert log_in(password=PASSWORD).status_code == 302


def test_the_sixth_log_in_gets_in_if_it_is_right(counter, log_in, tried, alice):
    for _ in range(5):
        log_in()
    assert log_in(password=PASSWORD).status_code == 302


@pytest.mark.both_databases
def test_parallel_guesses_gain_nothing(counter, app, log_in, tried, alice, monkeypatch):
    # Each finds a place to be tried (policy.PASSWORDS_AT_ONCE), however slow the machine is.
    monkeypatch.setattr(policy, "PASSWORD_PATIENCE", 60)
    statuses = []
    together = threading.Barrier(20)

    def guess():
        together.wait(timeout=10)
        statuses.append(log_in().status_code)
        statuses.append(log_in("alice@example.com").status_code)

    threads = [threading.Thread(target=guess) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [401] * 5 + [429] * 35
    assert len(tried) == 6


@pytest.mark.both_databases
def test_a_stranger_cannot_lock_the_owner_out(counter, app, log_in, tried, alice):
    browser = app.test_client()
    assert log_in(password=PASSWORD, browser=browser).status_code == 302
    browser.post("/auth/logout")
    for _ in range(20):
        log_in()
    assert log_in(password=PASSWORD).status_code == 429, "from an unknown device"

    assert log_in(password=PASSWORD, browser=browser).status_code == 302
    assert log_in(password=PASSWORD).status_code == 429, "the stranger has five guesses again"


def test_a_person_who_signed_up_is_known_at_once(client, log_in, tried):
    form = {"username": "dora", "email": "dora@example.com", "password": PASSWORD}
    client.post("/auth/signup", data=form)
    client.post("/auth/logout")
    for _ in range(8):
        log_in("dora")

    assert log_in("dora@example.com", PASSWORD, client).status_code == 302


def test_a_known_device_may_not_guess_freely_either(app, log_in, tried, alice):
    browser, other = app.test_client(), app.test_client()
    for each in (browser, other):
        log_in(password=PASSWORD, browser=each)
        each.post("/auth/logout")

    statuses = [log_in(browser=browser).status_code for _ in range(10)]

    assert statuses == [401] * 5 + [429] * 5
    assert log_in(password=PASSWORD, browser=browser).status_code == 429
    assert log_in(password=PASSWORD, browser=other).status_code == 302, "another device"
    assert log_in(password=PASSWORD).status_code == 302, "the account was not guessed at"


def test_a_device_is_known_for_one_person_with_this_password_only(
    app, log_in, tried, alice, charlie, subtests
):
    browser = app.test_client()
    log_in(password=PASSWORD, browser=browser)
    browser.post("/auth/logout")
    cookie = browser.get_cookie("known-device")
    assert (cookie.http_only, cookie.same_site, cookie.path) == (True, "Lax", "/")
    for name in ("alice", "charlie"):
        for _ in range(6):
            log_in(name)

    with subtests.test("another person's"):
        assert log_in("charlie", PASSWORD, browser).status_code == 429
    with subtests.test("a forged one"):
        for forged in ("", "x", cookie.value[:-1] + "~", "." + cookie.value):
            forger = app.test_client()
            forger.set_cookie("known-device", forged)
            assert log_in(password=PASSWORD, browser=forger).status_code == 429
    with subtests.test("of before a new password"):
        with app.app_context():
            users.by_id(alice.id).password_hash = "scrypt:of another password"
            db.session.commit()
        assert log_in(password=PASSWORD, browser=browser).status_code == 429


@pytest.mark.both_databases
@pytest.mark.parametrize("path", ["/auth/sessions/1/revoke", "/auth/sessions/revoke"])
def test_a_device_that_was_logged_out_from_another_is_not_known(app, log_in, tried, path):
    with app.app_context():
        users.add("alice", "alice@example.com", "scrypt:x")
        db.session.commit()
    lost, own, other = app.test_client(), app.test_client(), app.test_client()
    for browser in (lost, own, other):
        assert log_in(password=PASSWORD, browser=browser).status_code == 302
    other.post("/auth/logout")
    assert own.post(path).status_code == 302
    for _ in range(6):
        log_in()
    own.post("/auth/logout")

    everywhere = path == "/auth/sessions/revoke"
    assert log_in(password=PASSWORD, browser=lost).status_code == 429
    assert log_in(password=PASSWORD, browser=other).status_code == (429 if everywhere else 302)
    assert log_in(password=PASSWORD, browser=own).status_code == 302


def test_an_older_log_in_of_this_device_ends_without_forgetting_it(app, log_in, tried, alice):
    browser = app.test_client()
    log_in(password=PASSWORD, browser=browser)
    browser.delete_cookie("session")
    log_in(password=PASSWORD, browser=browser)
    older = browser.post("/auth/sessions/2/revoke")
    browser.post("/auth/logout")
    for _ in range(6):
        log_in()

    assert older.status_code == 302
    assert log_in(password=PASSWORD, browser=browser).status_code == 302


@pytest.mark.both_databases
def test_devices_are_forgotten_after_a_year_and_the_oldest_when_there_are_too_many(
    app, alice, set_clock, monkeypatch
):
    monkeypatch.setattr("plaidapp.policy.KNOWN_DEVICES_PER_PERSON", 2)
    with app.app_context():
        for day in (1, 2, 3):
            set_clock(f"2026-11-0{day}T12:00Z")
            known_devices.add(alice.id, f"device {day}")
        set_clock("2027-11-02T12:00Z")
        names = [f"device {day}" for day in (1, 2, 3)]
        assert [known_devices.is_known(alice.id, name) for name in names] == [False, False, True]
        known_devices.delete_old(10)
        assert [row.device for row in db.session.scalars(db.select(KnownDevice))] == ["device 3"]


def test_the_cookie_of_the_session_comes_first(log_in, tried, alice):
    """A simple program takes the first cookie of an answer for that of the session."""
    cookies = log_in(password=PASSWORD).headers.getlist("Set-Cookie")

    assert [cookie.partition("=")[0] for cookie in cookies] == ["session", "known-device"]


def test_over_https_the_cookie_belongs_to_this_host_alone(app, alice, tried):
    other = create_app(replace(app.config["PLAIDAPP"], public_url="https://bank.example"))
    other.config["WTF_CSRF_ENABLED"] = False
    browser = other.test_client()
    browser.set_cookie("known-device", "x")

    answer = browser.post(
        "/auth/login",
        data={"username": "alice", "password": PASSWORD},
        base_url="https://bank.example",
    )

    cookie = set_cookie(answer, "__Host-known-device")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    other.extensions["redis"].close()
    with other.app_context():
        db.engine.dispose()


def test_an_address_is_slowed_after_many_wrong_log_ins(
    counter, app, log_in, tried, alice, monkeypatch
):
    monkeypatch.setattr(policy, "ADDRESS_GUESSES", 8)
    browser = app.test_client()
    log_in(password=PASSWORD, browser=browser)  # a right one does not count
    browser.post("/auth/logout")

    statuses = [log_in(f"name {number}").status_code for number in range(12)]

    assert statuses == [401] * 8 + [429] * 4
    assert log_in(password=PASSWORD).status_code == 429, "a new device at this address"
    assert log_in(password=PASSWORD, browser=browser).status_code == 302, "a known one"
    assert log_in(password=PASSWORD, address="203.0.113.2").status_code == 302, "elsewhere"


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("203.0.113.1", "::ffff:203.0.113.1", True),
        ("203.0.113.1", "203.0.113.2", False),
        ("", "", False),  # through a socket that has no address
    ],
)
def test_who_counts_as_one_address(log_in, tried, alice, monkeypatch, first, second, same):
    monkeypatch.setattr(policy, "ADDRESS_GUESSES", 1)
    for number in range(2):
        log_in(f"name {number}", address=first)

    assert log_in("another", address=second).status_code == (429 if same else 401)


def test_the_address_of_an_uncounted_proxy_is_slowed_for_nobody(app, tried, alice, monkeypatch):
    """All visitors have it, so one of them could keep all others out."""
    monkeypatch.setattr(policy, "ADDRESS_GUESSES", 1)
    for number in range(4):
        answer = app.test_client().post(
            "/auth/login",
            data={"username": f"name {number}", "password": WRONG},
            headers={"X-Forwarded-For": "203.0.113.1"},
            environ_base={"REMOTE_ADDR": "10.1.2.3"},
        )
        assert answer.status_code == 401


def test_an_address_is_slowed_after_many_sign_ups(counter, app, client, set_clock, monkeypatch):
    set_clock(NOON.format("00"))
    monkeypatch.setattr(policy, "ADDRESS_SIGN_UPS", 3)
    monkeypatch.setattr(passwords, "hash_password", lambda password: "no hash")

    def sign_up(name, password=PASSWORD):
        form = {"username": name, "email": f"{name}@example.com", "password": password}
        return app.test_client().post("/auth/signup", data=form)

    for _ in range(5):
        assert sign_up("dora", "short").status_code == 422, "no sign-up"
    assert sign_up("dora").status_code == 302
    assert sign_up("dora").status_code == 422, "it tells that Dora is here, so it counts"
    assert sign_up("nora").status_code == 302

    answer = sign_up("flora")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "30")
    assert "There were too many sign-ups from your network. Try again in 30 sec" in answer.text
    assert Page(answer.text).value("username") == "flora"
    with app.app_context():
        assert users.by_name("flora") is None


def test_a_log_in_does_the_same_work_whoever_is_named(app, log_in, alice, monkeypatch):
    work = []
    real = passwords._fits
    monkeypatch.setattr(
        passwords,
        "_fits",
        lambda stored, password: work.append(stored.split("$")[1]) or real(stored, password),
    )

    def done_for(name):
        work.clear()
        log_in(name)
        return list(work)

    with app.app_context():
        engine = db.engine

    def note(_connection, _cursor, statement, *_):
        work.append(statement)

    listen.listen(engine, "before_cursor_execute", note)
    try:
        log_in("warms up")
        known, unknown = done_for("alice"), done_for("nobody")
    finally:
        listen.remove(engine, "before_cursor_execute", note)

    assert known == unknown
    assert known.count("argon2id") == 1


def test_log_ins_are_events_that_name_nobody(
    app, log_in, tried, alice, caplog, set_clock, monkeypatch
):
    set_clock(NOON.format("00"))
    caplog.set_level(logging.INFO, "plaidapp.events")
    monkeypatch.setattr(policy, "FREE_GUESSES", 1)

    log_in()
    log_in("alice@example.com")
    log_in("nobody")
    log_in(password=PASSWORD)
    log_in("charlie", PASSWORD)
    with app.app_context():
        alice_id = users.by_id(alice.id).opaque_id

    events = [(record.event, record.event_fields) for record in caplog.records]
    assert [name for name, _ in events] == ["login_wrong"] * 3 + ["login_refused", "login_wrong"]
    assert [fields["wait"] for _, fields in events] == [0, 30, 0, 30, 0]
    assert {fields.get("person") for _, fields in events} <= {alice_id, None}
    for secret in ("alice", "nobody", "charlie", "example.com", WRONG, PASSWORD):
        assert secret not in caplog.text

    caplog.clear()
    app.extensions["redis"].flushall()
    log_in(password=PASSWORD)
    with app.app_context():
        alice_id = users.by_id(alice.id).opaque_id
    assert [(record.event, record.event_fields) for record in caplog.records] == [
        ("login", {"person": alice_id, "device": "new"})
    ]


def test_what_is_stored_ends_and_names_nobody(counter, app, log_in, tried, alice, later):
    for name in ("alice", "nobody"):
        for _ in range(6):
            log_in(name)

    if counter == "Redis":
        redis = app.extensions["redis"]
        keys = redis.keys("*")
        stored = " ".join(map(str, keys))
        assert all(0 < redis.ttl(key) <= 86_400 for key in keys)
        assert all(len(key) + len(redis.get(key)) < 80 for key in keys)
    else:
        with app.app_context():
            rows = db.session.scalars(db.select(Tries)).all()
            keys, stored = rows, " ".join(row.key for row in rows)
    assert len(keys) == 3, "two accounts and an address"
    for secret in ("alice", "nobody", "203.0.113.1"):
        assert secret not in stored


def test_redis_and_the_database_are_asked_for_no_key_at_all_without_an_address(app, counter):
    with app.app_context():
        assert counting.count([]).counted


@pytest.mark.both_databases
@pytest.mark.parametrize(("renews", "wait"), [(True, 30), (False, 0)])
def test_a_count_starts_again_after_its_last_try_or_after_its_first(
    app, counter, set_clock, renews, wait
):
    limit = Limit("a key", 3, timedelta(hours=1), renews)
    with app.app_context():
        for moment in ("12:00", "12:30", "12:59"):
            set_clock(f"2026-11-26T{moment}Z")
            assert counting.count([limit]).wait == timedelta()
        set_clock("2026-11-26T13:40Z")
        assert counting.count([limit]) == Verdict(True, timedelta(seconds=wait))


def test_few_passwords_are_hashed_at_once(app, log_in, tried, alice, monkeypatch):
    monkeypatch.setattr(policy, "PASSWORD_PATIENCE", 0)
    form = {"username": "dora", "email": "dora@example.com", "password": PASSWORD}
    with ExitStack() as places:
        for _ in range(policy.PASSWORDS_AT_ONCE):
            places.enter_context(passwords.place())
        sign_up = app.test_client().post("/auth/signup", data=form)
        for answer in (sign_up, *(log_in() for _ in range(8))):
            assert answer.status_code == 503
            assert "Retry-After" in answer.headers
            assert "Many people are logging in right now." in answer.text
    assert tried == []

    assert log_in(password=PASSWORD).status_code == 302, "nothing was counted"


def test_a_redis_that_hangs_is_asked_once(app, log_in, tried, alice, monkeypatch):
    """Otherwise a try may count twice, and each log-in waits."""
    with socket.create_server(("localhost", 0)) as hangs:
        hangs.settimeout(0)
        client = queue.connect(f"redis://localhost:{hangs.getsockname()[1]}")
        client.connection_pool.connection_kwargs["socket_timeout"] = 0.1
        monkeypatch.setitem(app.extensions, "redis", client)
        assert [log_in().status_code for _ in range(6)] == [401] * 5 + [429]
        hangs.accept()[0].close()
        with pytest.raises(BlockingIOError):
            hangs.accept()


def test_people_who_share_a_browser_are_all_known(app, log_in, tried, alice, charlie):
    browser = app.test_client()
    for name in ("alice", "charlie"):
        log_in(name, PASSWORD, browser)
        browser.post("/auth/logout")
        for _ in range(6):
            log_in(name)

    for name in ("alice", "charlie"):
        assert log_in(name, PASSWORD, browser).status_code == 302
        browser.post("/auth/logout")
