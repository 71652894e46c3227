"""Connecting a bank through Hosted Link: the buttons, the return, and what the panel says."""

import json
from dataclasses import replace

import pytest

from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.finance.connections import link_pages
from plaidapp.store import Item, LinkResult, LinkSession, Pull, User
from tests.fake_link import CHECKING, OTHER
from tests.pages import Page

CONNECT = "/finance/connections"
EXCHANGE = "/item/public_token/exchange"
RETURN = f"{CONNECT}/1"
TOKEN = "link-sandbox-1"
HELD = "You already have this bank. Log in to it again instead. It’s free."


@pytest.fixture
def read(app):
    def rows(model):
        with app.app_context():
            found = db.session.scalars(db.select(model).order_by(model.id)).all()
            db.session.expunge_all()
            return found

    return rows


@pytest.fixture
def exchanges(bank_server):
    before = bank_server.faults.rulebook.report()["calls"].get(EXCHANGE, 0)
    return lambda: bank_server.faults.rulebook.report()["calls"].get(EXCHANGE, 0) - before


@pytest.fixture
def returned(alice, panel, work_due):
    """The browser comes back from Plaid, and the worker works; return the panel then."""

    def come_back(session=1):
        page = Page(alice.client.get(f"{CONNECT}/{session}").text)
        work_due()
        states = [a["id"] for _, a, _ in page.elements if "data-state" in a]
        return panel(alice.htmx("GET", f"/finance/pulls/{states[0].removeprefix('pull-')}"))

    return come_back


@pytest.mark.both_databases
def test_the_button_leads_to_plaid(alice, fake_link, read):
    answer = alice.client.post(CONNECT)

    assert (answer.status_code, answer.location) == (303, "https://secure.plaid.com/hl/lp1")
    htmx = alice.htmx("POST", CONNECT)
    assert (htmx.status_code, htmx.headers["HX-Redirect"]) == (
        200,
        "https://secure.plaid.com/hl/lp2",
    )
    asked = fake_link.created[0]
    assert asked["products"] == ["transactions"]
    assert asked["transactions"] == {"days_requested": 730}
    assert asked["hosted_link"] == {"completion_redirect_uri": f"http://localhost{RETURN}"}
    assert (asked["country_codes"], asked["language"]) == (["US"], "en")
    assert asked["user"]["client_user_id"] == read(User)[0].opaque_id
    assert "alice" not in json.dumps(asked)
    assert fake_link.created[1]["user"] == asked["user"]
    session, _ = read(LinkSession)
    for sealed in (session.sealed_token, session.sealed_url):
        assert b"sandbox" not in sealed
        assert b"plaid.com" not in sealed


def test_a_refusal_of_plaid_leaves_nothing_open(alice, bank_server, dump, subtests):
    cases = (("API_ERROR", "INTERNAL_SERVER_ERROR", 500, 503), ("INVALID_INPUT", "X", 400, 502))
    for error_type, code, status, answered in cases:
        rule = {"error_type": error_type, "error_code": code, "status": status}
        bank_server.misbehave(kind="error", path="/link/token/create", **rule)
        for press in (alice.client.post, lambda path: alice.htmx("POST", path)):
            with subtests.test(code):
                answer = press(CONNECT)
                assert answer.status_code == answered
                assert 'class="notice"' in answer.text
    assert dump()["link_session"] == dump()["pull"] == []


@pytest.mark.both_databases
def test_a_finished_link_becomes_a_connection(
    alice, fake_link, read, returned, work_due, panel, exchanges
):
    alice.client.post(CONNECT)
    work_due()
    shown = panel(alice.htmx("GET", "/finance/pulls/1"))
    assert (shown.state, shown.buttons) == ("queued", ["Continue at Plaid", "Dismiss"])
    assert "Waiting for you at Plaid." in shown.text
    fake_link.add(TOKEN, fake_link.result(accounts=[CHECKING]))

    shown = returned()

    assert shown.state == "done", shown.text
    assert "First Platypus Bank connected." in shown.text
    (item,) = read(Item)
    assert (item.institution_name, item.is_separate) == ("First Platypus Bank", False)
    assert item.synced_at
    (result,) = read(LinkResult)
    assert (result.state, result.item_id, result.sealed_token) == ("exchanged", item.id, None)
    assert returned().state == "done", "a reload changes nothing"
    assert exchanges() == len(read(Item)) == 1


def test_a_closed_tab_loses_nothing(alice, fake_link, read, work_due, later):
    """The clock looks, without a webhook and without the browser."""
    alice.client.post(CONNECT)
    fake_link.add(TOKEN, fake_link.result())
    work_due()
    assert read(Item) == []

    later(seconds=11)
    work_due()

    assert len(read(Item)) == 1


def test_plaid_is_asked_often_at_first_and_then_less(alice, fake_link, work_due, later):
    alice.client.post(CONNECT)
    looks = []
    for seconds in (11, 11, 120, 11, 60):
        later(seconds=seconds)
        work_due()
        looks.append(fake_link.looks)
    assert looks == [1, 2, 3, 3, 4]


def test_an_exit_ends_nothing_until_the_browser_is_back(alice, fake_link, panel, returned, later):
    alice.client.post(CONNECT)
    fake_link.leave(TOKEN)
    later(seconds=11)
    assert panel(alice.htmx("GET", "/finance/pulls/1")).state == "queued"

    shown = returned()

    assert shown.state == "failed"
    assert "You left Plaid before you were done. Nothing has changed." in shown.text
    assert shown.buttons == ["Start again", "Dismiss"]
    assert "LINK_CANCELED requires_credentials Link session ID s0 Request ID why" in shown.text


def test_the_last_error_that_the_person_met_has_its_sentence(alice, fake_link, returned):
    alice.client.post(CONNECT)
    fake_link.leave(TOKEN, "INVALID_CREDENTIALS")

    shown = returned()

    assert shown.text.count("INVALID_CREDENTIALS") == 1
    assert "did not accept" in shown.text


def test_a_second_try_counts_after_the_first_was_left(alice, fake_link, read, returned, later):
    alice.client.post(CONNECT)
    fake_link.leave(TOKEN)
    assert returned().state == "failed"
    fake_link.add(TOKEN, fake_link.result())
    later(seconds=11)

    assert returned().state == "done"

    assert len(read(Item)) == 1


def test_the_page_of_a_second_return_follows_it(alice, fake_link, returned):
    """Even right after the first try, the panel must not show how that one ended."""
    alice.client.post(CONNECT)
    fake_link.leave(TOKEN)
    assert returned().state == "failed"
    fake_link.add(TOKEN, fake_link.result())

    page = Page(alice.client.get(RETURN).text)

    assert [a["data-state"] for _, a, _ in page.elements if "data-state" in a] == ["queued"]


def test_a_page_that_reloads_itself_asks_plaid_nothing(alice, fake_link, returned, work_due):
    alice.client.post(CONNECT)
    page = Page(alice.client.get(RETURN).text)
    (refresh,) = [a["content"] for _, a, _ in page.elements if "http-equiv" in a]
    work_due()
    fake_link.leave(TOKEN)
    assert returned().state == "failed"
    looks = fake_link.looks

    again = alice.client.get(refresh.partition("url=")[2])
    work_due()

    assert "You left Plaid before you were done." in again.text
    assert "http-equiv" not in again.text
    assert fake_link.looks == looks


def test_logging_in_again_leaves_a_new_connection_waiting(alice, fake_link, read, connect):
    """A second press of the same button takes the place of the first."""
    connect(alice)
    for path in (CONNECT, "/finance/items/1/reconnect", "/finance/items/1/reconnect"):
        alice.client.post(path)
    assert [(pull.kind, pull.state) for pull in read(Pull)[-3:]] == [
        ("connect", "queued"),
        ("reconnect", "dismissed"),
        ("reconnect", "queued"),
    ]


def test_a_plaid_that_hangs_does_not_hold_the_page(alice, bank_server, dump, monkeypatch):
    monkeypatch.setattr(policy, "LINK_CREATE_DEADLINE", 0.2)
    bank_server.misbehave(kind="delay", path="/link/token/create", seconds=2, times=1)

    answer = alice.client.post(CONNECT)

    assert (answer.status_code, "took too long" in answer.text) == (503, True)
    assert dump()["link_session"] == dump()["pull"] == []


def test_a_second_tab_that_is_closed_counts_too(alice, fake_link, read, returned, later, work_due):
    alice.client.post(CONNECT)
    fake_link.add(TOKEN, fake_link.result())
    assert returned().state == "done"
    fake_link.add(TOKEN, fake_link.result("ins_109509", "First Gingham Credit Union"))

    later(minutes=11)
    work_due()

    assert {item.institution_name for item in read(Item)} == {
        "First Platypus Bank",
        "First Gingham Credit Union",
    }


def test_a_link_that_nobody_uses_expires(alice, fake_link, read, panel, later, work_due):
    alice.client.post(CONNECT)
    later(minutes=31)
    work_due()

    shown = panel(alice.htmx("GET", "/finance/pulls/1"))
    assert shown.state == "failed"
    assert "The link to Plaid has expired. Nothing has changed." in shown.text
    answer = alice.client.post(f"{RETURN}/continue")
    assert answer.status_code == 422
    assert "This link to Plaid has expired." in answer.text
    later(minutes=75)
    work_due()
    (session,) = read(LinkSession)
    assert session.sealed_token is session.sealed_url is session.look_after is None


def test_the_lost_tab_is_opened_again(alice, fake_link):
    alice.client.post(CONNECT)

    answer = alice.client.post(f"{RETURN}/continue")

    assert (answer.status_code, answer.location) == (303, "https://secure.plaid.com/hl/lp1")


@pytest.mark.both_databases
def test_a_duplicate_is_held_before_any_exchange(
    alice, fake_link, read, returned, connect, exchanges
):
    connect(alice)
    had = exchanges()
    alice.client.post(CONNECT)
    fake_link.add(TOKEN, fake_link.result(accounts=[CHECKING, OTHER]))

    shown = returned()

    assert shown.state == "failed"
    assert shown.text.count(HELD) == 1
    assert shown.buttons == ["Log in again", "Connect it separately", "Dismiss"]
    assert 'action="/finance/items/1/reconnect"' in shown.html
    assert (exchanges(), len(read(Item))) == (had, 1)


def test_what_is_connected_separately_stays_separate(
    app, alice, fake_link, read, returned, connect, work, work_due, panel, exchanges
):
    connect(alice)
    had = exchanges()
    alice.client.post(CONNECT)
    fake_link.add(TOKEN, fake_link.result(accounts=[CHECKING]))
    returned()
    for no_id in ("all", "9" * 30, "-1", "7"):
        refused = alice.client.post(f"{RETURN}/separate", data={"result": no_id})
        assert refused.status_code in (404, 422), no_id

    shown = panel(alice.htmx("POST", f"{RETURN}/separate"))
    assert shown.state == "queued"
    work()

    first, second = read(Item)
    assert (first.state, second.state, second.is_separate) == ("good", "good", True)
    accounts = alice.client.get("/finance/accounts.json").json["accounts"]
    assert len(accounts) == 18
    assert "Is this the same account?" not in alice.client.get("/finance/items").text
    assert exchanges() == had + 1
    answer = alice.client.post(f"{RETURN}/separate")
    assert answer.status_code == 422, "a second press exchanges nothing"
    assert "This is decided already." in answer.text
    work()
    assert (exchanges(), len(read(Item))) == (had + 1, 2)


def test_after_half_an_hour_it_is_too_late(alice, fake_link, read, returned, connect, later, panel):
    connect(alice)
    alice.client.post(CONNECT)
    fake_link.add(TOKEN, fake_link.result(accounts=[CHECKING]))
    returned()
    later(minutes=31)

    shown = panel(alice.htmx("GET", "/finance/pulls/3"))
    assert shown.buttons == ["Log in again", "Dismiss"]
    assert "It is too late to connect it separately." in shown.text
    assert alice.client.post(f"{RETURN}/separate").status_code == 422
    assert len(read(Item)) == 1


def test_of_several_one_may_be_held_and_another_new(alice, fake_link, read, returned, connect):
    connect(alice)
    alice.client.post(CONNECT)
    fake_link.add(
        TOKEN,
        fake_link.result(accounts=[CHECKING]),
        fake_link.result("ins_109509", "First Gingham Credit Union", accounts=[CHECKING]),
    )

    shown = returned()

    assert shown.state == "failed"
    assert "First Gingham Credit Union connected." in shown.text
    assert f"First Platypus Bank. {HELD}" in shown.text
    assert [item.institution_name for item in read(Item)] == [
        "First Platypus Bank",
        "First Gingham Credit Union",
    ]
    assert HELD in Page(alice.client.get("/finance/").text).text, "it stays until it is decided"


def test_a_new_link_takes_the_place_of_one_that_waits(alice, fake_link, read, later, work_due):
    """What is done with the first link still counts."""
    alice.client.post(CONNECT)
    alice.client.post(CONNECT)
    assert [pull.state for pull in read(Pull)] == ["dismissed", "queued"]
    fake_link.add(TOKEN, fake_link.result())

    later(minutes=11)
    work_due()

    assert len(read(Item)) == 1


DOWN = {"kind": "error", "status": 500, "error_type": "API_ERROR", "error_code": "X"}


@pytest.fixture
def failed_exchange(alice, bank_server, fake_link, later, work_due, returned):
    """Alice is back from Plaid, whose exchange fails for as long as her pull tries it."""
    alice.client.post(CONNECT)
    fake_link.add(TOKEN, fake_link.result(accounts=[CHECKING]))
    bank_server.misbehave(path=EXCHANGE, **DOWN)
    returned()
    for _ in range(2):
        later(seconds=20)
        work_due()
    bank_server.faults.rulebook.replace([])


@pytest.mark.usefixtures("failed_exchange")
def test_a_failed_exchange_is_repeated_later(read, later, work_due):
    """What the person finished at Plaid is not lost, also if nobody presses a button."""
    assert [pull.state for pull in read(Pull)] == ["failed"]

    later(minutes=10)
    work_due()

    assert len(read(Item)) == 1


@pytest.mark.usefixtures("failed_exchange")
def test_a_failed_exchange_comes_before_the_same_bank_again(
    alice, fake_link, read, returned, later, work_due
):
    """Plaid may have made its Item. So the second try is a duplicate."""
    alice.client.post(CONNECT)
    fake_link.add("link-sandbox-2", fake_link.result(accounts=[CHECKING]))

    returned(2)
    later(seconds=11)
    work_due()

    assert [result.state for result in read(LinkResult)] == ["exchanged", "held"]


def test_a_refused_exchange_says_why_and_is_repeated_too(
    alice, bank_server, fake_link, read, returned, later, work_due
):
    """It keeps no other connection of the session from being exchanged."""
    rule = {"status": 400, "error_type": "INVALID_INPUT", "error_code": "INVALID_API_KEYS"}
    bank_server.misbehave(kind="error", path=EXCHANGE, times=1, **rule)
    alice.client.post(CONNECT)
    other = fake_link.result("ins_109509", "First Gingham Credit Union")
    fake_link.add(TOKEN, fake_link.result(accounts=[CHECKING]), other)

    shown = returned()

    assert shown.state == "failed"
    assert "Plaid does not accept this app’s API keys." in shown.text
    assert [result.state for result in read(LinkResult)] == ["approved", "exchanged"]
    later(minutes=10)
    work_due()
    assert len(read(Item)) == 2
    assert read(Pull)[0].state == "done"


@pytest.mark.usefixtures("failed_exchange")
def test_an_exchange_that_never_succeeds_is_in_nobodys_way(alice, fake_link, returned, later):
    later(minutes=31)
    alice.client.post(CONNECT)
    fake_link.add("link-sandbox-2", fake_link.result(accounts=[CHECKING]))

    assert returned(2).state == "done"


def test_another_persons_session_is_a_404(alice, charlie, fake_link, dump):
    alice.client.post(CONNECT)
    before = dump()
    for method, path in (("GET", ""), ("POST", "/continue"), ("POST", "/separate")):
        assert charlie.client.open(RETURN + path, method=method).status_code == 404
    assert dump() == before


def test_only_pages_with_the_button_may_lead_to_plaid(app, alice, bank_server):
    def targets(path):
        policy = alice.client.get(path).headers["Content-Security-Policy"]
        return next(p for p in policy.split("; ") if p.startswith("form-action"))

    assert targets("/finance/") == f"form-action 'self' {bank_server.url}"
    assert targets("/finance/items") == f"form-action 'self' {bank_server.url}"
    assert targets("/finance/transactions") == "form-action 'self'"


@pytest.fixture
def configure(app, monkeypatch):
    """`configure(plaid_env="production")` changes the app's settings."""

    def change(**settings):
        monkeypatch.setitem(app.config, "PLAIDAPP", replace(app.config["PLAIDAPP"], **settings))

    return change


def test_with_plaid_itself_the_pages_may_lead_to_plaid(alice, configure):
    configure(plaid_url="https://production.plaid.com")
    policy = alice.client.get("/finance/").headers["Content-Security-Policy"]
    assert "form-action 'self' https://*.plaid.com;" in policy


def test_in_production_there_are_no_test_banks(alice, configure, connect):
    connect(alice)
    configure(plaid_env="production")
    for path in ("/finance/", "/finance/items"):
        html = alice.client.get(path).text
        assert "Connect a test bank" not in html
        assert html.count('action="/finance/connections"') == 1


@pytest.mark.parametrize(
    ("public", "host", "expected"),
    [
        (None, "localhost", "http://localhost"),
        ("https://money.example", "money.example", "https://money.example"),
        ("https://money.example", "localhost:8000", "http://localhost:8000"),
    ],
)
def test_plaid_sends_the_browser_to_the_host_that_the_person_is_on(
    app, configure, public, host, expected
):
    configure(public_url=public)
    with app.test_request_context(CONNECT, method="POST", base_url=f"http://{host}"):
        assert link_pages.completion_url(1) == expected + RETURN


def test_the_limit_of_the_plan_is_shown(alice, configure, connect):
    assert "Items used" not in alice.client.get("/finance/items").text
    connect(alice)
    configure(plaid_item_limit=10)
    assert "1 of 10 Items used." in alice.client.get("/finance/items").text
    configure(plaid_item_limit=1)
    assert "Plaid will refuse another connection." in alice.client.get("/finance/items").text


def test_without_javascript_only_the_page_of_the_return_reloads(alice, fake_link):
    """The overview would lose what the person types, for half an hour."""
    alice.client.post(CONNECT)
    assert "http-equiv" not in alice.client.get("/finance/").text
    assert 'http-equiv="refresh" content="3;' in alice.client.get(RETURN).text


def test_no_token_is_stored_or_shown_in_clear(app, alice, fake_link, dump, returned, connect):
    connect(alice)
    alice.client.post(CONNECT)
    result = fake_link.result(accounts=[CHECKING])
    fake_link.add(TOKEN, result)
    alice.htmx("GET", "/finance/pulls/3")
    shown = returned()

    secrets = (TOKEN, result["public_token"], "secure.plaid.com")
    stored = repr(dump())
    redis = app.extensions["redis"]
    kept = repr([(key, redis.type(key), redis.dump(key)) for key in redis.scan_iter()])
    pages = shown.html + alice.client.get("/finance/").text + alice.client.get(RETURN).text
    for secret in secrets:
        assert secret not in stored
        assert secret not in kept
        assert secret not in pages
