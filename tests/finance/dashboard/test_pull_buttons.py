"""Every button that begins a pull, with HTMX and as a plain form."""

import re
import socket
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from rq import Queue

from plaidapp import create_app, policy
from plaidapp.extensions import db
from plaidapp.store import Item, Pull
from plaidapp.store.base.types import now
from plaidapp.store.connections import item_states
from plaidapp.store.pulls import kinds, pulls
from tests.pages import Page
from tests.ports import free_port

DAY = timedelta(days=1)
AGAIN = "You can ask the bank again (today|tomorrow) at"  # tomorrow shortly before midnight
BUTTONS = {
    "Connect a test bank": ("/finance/items/sandbox", {"institution_id": "ins_109508"}, "link"),
    "Get account data": ("/finance/pulls/accounts", {}, "accounts"),
    "Get transaction data": (
        "/finance/pulls/transactions",
        {"start_date": "2026-01-01", "end_date": "2026-01-31"},
        "transactions",
    ),
    "Get total number of transactions": (
        "/finance/pulls/total",
        {"start_date": "2026-01-01", "end_date": "2026-01-31"},
        "total",
    ),
    "Sync now": ("/finance/items/1/sync", {}, "transactions"),
    "Ask the bank again": ("/finance/items/1/refresh", {}, "refresh"),
}


@pytest.fixture
def item(app, alice):
    """Alice has a connection. Its bank is never asked here."""
    with app.app_context():
        item = Item(user_id=alice.id, plaid_item_id="i", access_token=b"")
        item.update_status = item_states.COMPLETE
        db.session.add(item)
        db.session.commit()


@pytest.fixture
def stored(app):
    def read():
        with app.app_context():
            return db.session.scalars(db.select(Pull).order_by(Pull.id)).all()

    return read


@pytest.fixture
def dates(today):
    """The last thirty days, as the range form sends them."""
    return {"start_date": str(today - timedelta(days=30)), "end_date": str(today)}


def form_of(button, dates):
    path, form, kind = BUTTONS[button]
    return path, (dates if "start_date" in form else form), kind


@pytest.mark.parametrize("button", BUTTONS)
def test_htmx_gets_the_panel_of_a_queued_pull(app, alice, item, stored, dates, panel, button):
    path, form, kind = form_of(button, dates)

    shown = panel(alice.htmx("POST", path, data=form))

    assert (shown.id, shown.state) == ("pull-1", "queued")
    assert shown.poll.startswith("/finance/pulls/1?")
    assert [(pull.kind, pull.state, pull.user_id) for pull in stored()] == [
        (kind, "queued", alice.id)
    ]
    assert Queue("default", connection=app.extensions["redis"]).job_ids == ["pull-1-0"]


@pytest.mark.parametrize("button", BUTTONS)
def test_a_plain_form_is_redirected_to_the_panel_on_the_dashboard(
    app, alice, item, stored, dates, button
):
    path, form, kind = form_of(button, dates)

    answer = alice.client.post(path, data=form)

    assert (answer.status_code, answer.location) == (302, "/finance/#pull-1")
    assert [pull.kind for pull in stored()] == [kind]
    assert Page(alice.client.get("/finance/").text).has(id="pull-1", **{"data-state": "queued"})


def test_the_dashboard_has_the_buttons(alice, item):
    page = Page(alice.client.get("/finance/").text)
    buttons = {" ".join("".join(text).split()) for tag, _, text in page.elements if tag == "button"}
    of_a_connection = {"Sync now", "Ask the bank again"}
    assert buttons >= set(BUTTONS) - {"Connect a bank"} - of_a_connection

    page = Page(alice.client.get("/finance/items/1").text)
    buttons = {" ".join("".join(text).split()) for tag, _, text in page.elements if tag == "button"}
    assert buttons >= of_a_connection


def test_the_bank_is_asked_again_once_in_a_while(app, alice, item, dump, stored):
    """The page says when, and shows no button until then."""
    alice.client.post("/finance/items/1/refresh")
    before = dump()

    htmx = alice.htmx("POST", "/finance/items/1/refresh")
    plain = alice.client.post("/finance/items/1/refresh")

    assert (htmx.status_code, plain.status_code) == (429, 429)
    assert 0 < int(htmx.headers["Retry-After"]) <= policy.REFRESH_INTERVAL.total_seconds()
    for answer in (htmx.text, Page(plain.text).text):
        assert re.search(AGAIN, answer)
    assert dump() == before
    assert len(stored()) == 1
    page = Page(alice.client.get("/finance/items/1").text)
    assert re.search(AGAIN, page.text)
    assert not page.has(action="/finance/items/1/refresh")


def test_the_same_button_shows_its_pull_again(alice, item, stored, dates, panel):
    for button in BUTTONS:
        path, form, kind = form_of(button, dates)
        if kind in ("link", "refresh"):  # each is a new one; once in a while
            continue
        first = panel(alice.htmx("POST", path, data=form))
        assert panel(alice.htmx("POST", path, data=form)).id == first.id
        assert alice.client.post(path, data=form).location == f"/finance/#{first.id}"
    assert len(stored()) == 4


@pytest.mark.parametrize(
    ("kind", "path", "limit"),
    [
        (kinds.ACCOUNTS, "/finance/pulls/accounts", "BALANCE_CALLS"),
        (kinds.REFRESH, "/finance/items/1/refresh", "REFRESH_CALLS"),
        (kinds.ACCOUNTS, "/finance/pulls/1/retry", "BALANCE_CALLS"),
    ],
)
def test_what_plaid_bills_is_limited_and_the_page_says_until_when(
    app, alice, item, dump, kind, path, limit
):
    with app.app_context():
        owned = [db.session.get(Item, 1)]
        for _ in range(getattr(policy, limit)):
            pulls.add(alice.id, kind, owned, state=pulls.FAILED)
        db.session.commit()
    before = dump()

    answers = alice.htmx("POST", path), alice.client.post(path)

    for answer in answers:
        assert answer.status_code == 429
        assert 3500 < int(answer.headers["Retry-After"]) <= 3600
    for shown in (answers[0].text, Page(answers[1].text).text):
        assert "Plaid bills each time, so there is a limit." in shown
        assert re.search(r"again (today|tomorrow) at", shown)
    assert "<html" not in answers[0].text
    assert dump() == before


def test_a_bank_that_cant_look_again_has_no_such_button(app, alice, item, dump, subtests):
    refused = {"refresh_refusal": "PRODUCTS_NOT_SUPPORTED", "refresh_after": now() + DAY}
    for change in (
        {"state": item_states.LOGIN_REQUIRED},
        {"update_status": item_states.RECENT},
        refused,
    ):
        with subtests.test(next(iter(change))):
            with app.app_context():
                usual = {"state": item_states.GOOD, "update_status": item_states.COMPLETE}
                db.session.execute(db.update(Item).values(usual | change))
                db.session.commit()
            before = dump()

            for answer in (
                alice.htmx("POST", "/finance/items/1/refresh"),
                alice.client.post("/finance/items/1/refresh"),
            ):
                assert answer.status_code == 422
                assert "This bank can’t be asked" in answer.text
            assert dump() == before
            page = Page(alice.client.get("/finance/items/1").text)
            assert not page.has(action="/finance/items/1/refresh")


def test_a_range_is_stored_with_its_pull(alice, item, stored, dates):
    alice.client.post("/finance/pulls/total", data=dates)

    (pull,) = stored()
    assert {"start_date": str(pull.start_date), "end_date": str(pull.end_date)} == dates


def test_a_pull_of_transactions_requests_a_sync_of_every_item(app, alice, item, dates):
    counts = []
    for path in ("pulls/accounts", "pulls/transactions", "pulls/total", "items/1/sync"):
        alice.client.post(f"/finance/{path}", data=dates)
        with app.app_context():
            counts += db.session.scalars(db.select(Item.sync_requested)).all()

    assert counts == [0, 1, 2, 3]


def test_without_a_connection_a_button_is_refused(alice, dump, dates):
    before = dump()
    sentence = "Connect a bank first."

    for button in list(BUTTONS)[1:4]:
        path, form, _ = form_of(button, dates)
        htmx = alice.htmx("POST", path, data=form)
        plain = alice.client.post(path, data=form)
        assert (htmx.status_code, plain.status_code) == (422, 422)
        assert sentence in htmx.text
        assert "<html" not in htmx.text
        assert sentence in Page(plain.text).text
        assert sentence not in alice.client.get("/finance/").text, "shown twice"

    assert dump() == before


def test_try_again_queues_the_same_pull_at_once_and_shows_it_waiting(
    app, alice, item, stored, panel
):
    with app.app_context():
        pulls.add(
            alice.id,
            kinds.ACCOUNTS,
            [db.session.get(Item, 1)],
            state=pulls.FAILED,
            failures=3,
            error_code="X",
            error_message="Plaid can’t be reached right now.",
        )
        db.session.commit()
    failed = panel(alice.htmx("GET", "/finance/pulls/1"))
    assert "Try again" in failed.buttons
    assert "Plaid can’t be reached right now." in failed.text

    shown = panel(alice.htmx("POST", "/finance/pulls/1/retry"))

    assert (shown.id, shown.state) == ("pull-1", "queued")
    assert shown.poll
    assert "can’t be reached" not in shown.text
    assert [(pull.state, pull.failures, pull.error_code) for pull in stored()] == [
        ("queued", 0, None)
    ]
    assert Queue("default", connection=app.extensions["redis"]).job_ids == ["pull-1-0"]


def test_try_again_as_a_plain_form_redirects_to_the_panel(app, alice, stored):
    with app.app_context():
        pulls.add(alice.id, kinds.LINK, state=pulls.FAILED)
        db.session.commit()

    assert alice.client.post("/finance/pulls/1/retry").location == "/finance/#pull-1"
    assert [pull.state for pull in stored()] == ["queued"]


@pytest.mark.parametrize("state", [pulls.RUNNING, pulls.DONE])
def test_try_again_does_not_change_a_running_or_finished_pull(app, alice, dump, state):
    with app.app_context():
        pulls.add(alice.id, kinds.ACCOUNTS, state=state)
        db.session.commit()
    before = dump()

    alice.client.post("/finance/pulls/1/retry")

    assert dump() == before
    assert not app.extensions["redis"].keys()


def test_try_again_after_wrong_credentials_connects_nobody_else(app, alice, work, panel, stored):
    """The typed name is gone by then, and no other test user may be connected instead."""
    form = {
        "institution_id": "ins_109508",
        "override_username": "nobody_of_this_name",
        "override_password": "wrong",
    }
    alice.client.post("/finance/items/sandbox", data=form)
    work()
    failed = panel(alice.htmx("GET", "/finance/pulls/1"))
    assert failed.state == "failed"
    assert "The bank did not accept this username and password." in failed.text

    alice.client.post("/finance/pulls/1/retry")
    work()

    assert [pull.state for pull in stored()] == ["failed"]
    with app.app_context():
        assert db.session.query(Item).count() == 0


class Silence:
    """A port that accepts connections and never answers."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self.socket.getsockname()[1]}"


@pytest.fixture(params=["refuses", "is silent"])
def broken_redis(request):
    if request.param == "refuses":
        yield f"redis://127.0.0.1:{free_port()}"
    else:
        silence = Silence()
        yield silence.url
        silence.socket.close()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_without_redis_a_button_answers_soon_and_the_pull_waits(
    app, alice, item, stored, panel, broken_redis
):
    without = create_app(replace(app.config["PLAIDAPP"], redis_url=broken_redis))
    without.config["WTF_CSRF_ENABLED"] = False
    browser = without.test_client()
    login = {"username": "alice", "password": "correct horse battery staple"}
    assert browser.post("/auth/login", data=login).status_code == 302
    began = time.monotonic()

    answer = browser.post("/finance/pulls/accounts", headers={"HX-Request": "true"})

    assert time.monotonic() - began < 20  # with redis-py's defaults it would be a minute
    shown = panel(answer)
    assert shown.state == "queued"
    assert shown.poll
    assert "queue" in shown.text or "waiting" in shown.text
    assert [(pull.state, pull.rung_at) for pull in stored()] == [("queued", None)]
    without.extensions["redis"].close()
    with without.app_context():
        db.session.remove()
        db.engine.dispose()


def test_test_banks_exist_only_in_the_sandbox(app, alice, dump):
    before = dump()
    app.config["PLAIDAPP"] = replace(app.config["PLAIDAPP"], plaid_env="production")
    form = {"institution_id": "ins_109508"}

    for answer in (
        alice.client.post("/finance/items/sandbox", data=form),
        alice.htmx("POST", "/finance/items/sandbox", data=form),
    ):
        assert answer.status_code == 422
        assert "only in Plaid’s sandbox." in answer.text

    assert dump() == before


def test_a_body_over_one_megabyte_is_refused(alice, dump):
    before = dump()
    form = {"institution_id": "ins_109508", "override_password": "x" * (1024 * 1024 + 1)}

    page = alice.client.post("/finance/items/sandbox", data=form)
    htmx = alice.htmx("POST", "/finance/items/sandbox", data=form)

    assert (page.status_code, htmx.status_code) == (413, 413)
    for answer in (page, htmx):
        assert "limit of 1 MB" in answer.text
    assert "<html" not in htmx.text
    assert dump() == before


def test_a_new_pull_is_next_in_line(alice, item):
    assert "waiting to start" in alice.htmx("POST", "/finance/pulls/accounts").text
