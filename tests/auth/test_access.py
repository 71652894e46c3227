"""Log-in and ownership, tested on every route, so that no new route is forgotten."""

import re
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select
from werkzeug.middleware.proxy_fix import ProxyFix

from plaidapp import hosts
from plaidapp.auth import stop_links
from plaidapp.extensions import db
from plaidapp.store import (
    Account,
    BankLogo,
    Edit,
    Item,
    LinkSession,
    LoginSession,
    Pull,
    Stream,
    Transaction,
    Webhook,
)
from plaidapp.store.base.types import now
from plaidapp.store.people import calendar_feeds, login_sessions, mail_links, passkeys, users
from plaidapp.store.pulls import kinds, pulls
from tests import stored
from tests.pages import token_of

SHARED = {"/finance/logos/{}"}
"""Routes of what is the same for everybody. Who knows the address may have it."""
PUBLIC = {
    "webhooks.receive",
    "index",
    "static",
    "auth.login",
    "calendar.feed",  # its token opens it
    "auth.log_in_with_passkey",
    "auth.passkey_for_log_in",
    "auth.passkey_for_second_factor",
    "auth.second_factor",
    "auth.signup",
    "auth.logout",
    "auth.forgot",
    "auth.reset",
    "auth.confirm_email",
    "auth.stop_mails",  # its token stands for the person
    "health.healthz",
    "health.readyz",
    "metrics.show",  # its token opens it
    "styleguide.show",
    "theme.choose",
}
OF_ROUTES = {
    "item_id": Item.id,
    "pull_id": Pull.id,
    "session_id": LinkSession.id,
    "account_id": Account.id,
    "transaction_id": Transaction.id,
    "edit_id": Edit.id,
    "stream_id": Stream.id,
    "address": BankLogo.address,
    "webhook_id": Webhook.id,
}
"""What stands in the addresses of routes, by argument name."""
MISSING = (0, 4711, 2**31, 2**63 - 1, 2**63, 10**100)


def routes(app, *, private=True):
    """Yield (method, path with {} for each id, names of the ids) for every route."""
    for rule in app.url_map.iter_rules():
        if private and rule.endpoint in PUBLIC:
            continue
        path = re.sub(r"<(?:\w+:)?\w+>", "{}", rule.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield method, path, sorted(rule.arguments)


def newest(name):
    """A query of two that stand in addresses as the argument `name`."""
    column = OF_ROUTES[name]
    return select(column).where(column.is_not(None)).order_by(column.desc()).limit(2)


@pytest.fixture
def belongings(app, alice):
    """Store a row of alice for each kind of id in addresses. Return the ids by argument name.

    She is an operator too.
    """
    with app.app_context():
        users.by_id(alice.id).is_operator = True
        item = Item(
            user_id=alice.id,
            plaid_item_id="item-of-alice",
            institution_name="First Platypus Bank",
            access_token=b"no token",
        )
        db.session.add(item)
        db.session.flush()
        pull = pulls.add(alice.id, kinds.LINK, [item], state=pulls.FAILED, error_message="No.")
        account = Account(
            user_id=alice.id,
            item_id=item.id,
            plaid_account_id="a",
            name="Checking of Platypus",
            type="depository",
            updated_at=now(),
        )
        edit = Edit(user_id=alice.id)
        db.session.add_all([account, edit])
        db.session.flush()
        stream = stored.stream_of(account)
        db.session.add(stream)
        db.session.flush()
        row = Transaction(
            user_id=alice.id,
            item_id=item.id,
            account_id=account.id,
            plaid_transaction_id="t",
            date=date(2026, 1, 31),
            amount=Decimal(5),
            name="Platypus food",
            pending=False,
        )
        session = LinkSession(user_id=alice.id, purpose="connect", pull_id=pull.id)
        webhook = Webhook(token="t", item_id=item.id, body="{}")
        db.session.add_all([row, session, webhook])
        db.session.commit()
        ids = {"transaction_id": row.id, "edit_id": edit.id, "account_id": account.id}
        ids |= {"stream_id": stream.id, "webhook_id": webhook.id}
        ids["address"] = "a" * 22
        db.session.add(BankLogo(institution_id="ins_1", address=ids["address"], picture=b"p"))
        passkeys.add(
            alice.id,
            credential_id=b"id",
            public_key=b"key",
            host="localhost",
            name="Phone of Platypus",
            sign_count=0,
            can_be_copied=False,
        )
        login_sessions.add(alice.id, "Safari", "iPhone of Platypus", "", kept=False)
        db.session.commit()
        login_id = db.session.scalar(db.select(db.func.max(LoginSession.id)))
        ids |= {"session_id": session.id, "login_id": login_id}
        ids["passkey_id"] = passkeys.of_person(alice.id)[0].id
        ids |= mail_links_of(users.by_id(alice.id))
        ids["token"] = calendar_of(app, alice.id)
        return {"item_id": item.id, "pull_id": pull.id} | ids


def calendar_of(app, user_id):
    """Turn on the person's calendar. Return the token in its address."""
    cipher = app.extensions["cipher"]
    calendar_feeds.renew(user_id, cipher)
    token = cipher.decrypt(calendar_feeds.of_person(user_id).token)
    db.session.commit()
    return token


def mail_links_of(user):
    tokens = {purpose: mail_links.new_token() for purpose in (mail_links.CONFIRM, mail_links.RESET)}
    for purpose, token in tokens.items():
        hour = timedelta(hours=1)
        mail_links.put(user, purpose, user.email, mail_links.hash_of(token), hour)
    db.session.commit()
    stop = stop_links.path_to(user).rpartition("/")[2]
    return {f"{purpose}_token": token for purpose, token in tokens.items()} | {"stop_token": stop}


def test_the_public_routes_are_these_and_no_others(app):
    assert {rule.endpoint for rule in app.url_map.iter_rules()} >= PUBLIC
    assert len(list(routes(app))) >= 12, "the routes were not found"


def test_every_other_route_requires_a_log_in(app, client, belongings, dump):
    before = dump()

    for method, path, names in routes(app):
        filled = path.format(*(belongings[name] for name in names))
        plain = client.open(filled, method=method)
        htmx = client.open(filled, method=method, headers={"HX-Request": "true"})

        if filled.endswith(".json"):
            for answer in (plain, htmx):
                assert (answer.status_code, answer.is_json) == (401, True), filled
                assert set(answer.json) == {"error"}
        else:
            assert plain.status_code == 302, filled
            wanted = {"next": filled} if method == "GET" else {}
            assert plain.location.startswith("/auth/login")
            assert client.get(plain.location).request.args.to_dict() == wanted
            assert (htmx.status_code, htmx.text) == (401, ""), filled
            assert htmx.headers["HX-Redirect"].startswith("/auth/login")

    assert dump() == before


def test_the_log_in_leads_back_to_the_requested_page(client):
    asked = "/finance/transactions?start_date=2026-01-01&end_date=2026-02-01"

    answer = client.get(client.get(asked).location)

    assert answer.request.args["next"] == asked


def test_the_owner_reaches_every_route_with_an_id(app, alice, belongings):
    # 422 is for a form that has other fields, 502 for an Item that Plaid does not know.
    reached = (200, 302, 303, 422, 502)
    for method, path, names in sorted(routes(app), key=lambda route: "remove" in route[1]):
        if names:
            answer = alice.client.open(
                path.format(*(belongings[name] for name in names)),
                method=method,
                data={"note": "mine"} if method == "POST" else None,
            )
            assert answer.status_code in reached, path


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["page", "htmx"])
def test_another_person_gets_a_404_and_changes_nothing(app, charlie, belongings, dump, headers):
    before = dump()
    tried = 0

    for method, path, names in routes(app):
        if names and path not in SHARED:
            filled = path.format(*(belongings[name] for name in names))
            answer = charlie.client.open(filled, method=method, headers=headers)
            assert answer.status_code == 404, filled
            assert "Platypus" not in answer.text
            tried += 1

    assert tried >= 4
    assert dump() == before


@pytest.mark.both_databases
def test_an_id_that_does_not_exist_is_a_404_however_large(app, alice, belongings, dump, subtests):
    before = dump()

    for method, path, names in routes(app):
        for number in MISSING if names else ():
            with subtests.test(path, number=number):
                filled = path.format(number)
                assert alice.client.open(filled, method=method).status_code == 404
                assert alice.htmx(method, filled).status_code == 404

    assert dump() == before


def test_a_malformed_id_is_a_404(alice):
    for path in (
        "/finance/pulls/-1",
        "/finance/pulls/x",
        "/finance/items/1.0",
        "/finance/items/%00",
    ):
        assert alice.client.get(path).status_code == 404


def test_no_page_shows_anything_of_another_person(app, charlie, belongings):
    for path in ("/finance/", "/finance/transactions"):
        assert "Platypus Bank</a>" not in charlie.client.get(path).text
    assert charlie.client.get("/finance/accounts.json").json == {"accounts": []}
    assert charlie.client.get("/finance/transactions.json").json == {
        "transactions": [],
        "total_transactions": 0,
        "next": None,
    }
    with app.app_context():
        assert db.session.query(Pull).count() == 1


def test_reading_a_page_changes_nothing(app, alice, belongings, dump):
    before = dump()

    for method, path, names in routes(app, private=False):
        if method == "GET" and "static" not in path and path != "/metrics":  # needs its token
            filled = path.format(*(belongings[name] for name in names))
            for headers in ({}, {"HX-Request": "true"}):
                assert alice.client.get(filled, headers=headers).status_code in (200, 302)

    after = dump()
    noted = after.pop("activity")
    assert (after, before.pop("activity")) == (before, [])
    assert all("'exported'" in row for row in noted)
    assert not app.extensions["redis"].keys("rq:*"), "a GET rang the queue"


REFUSED = {
    "nobody": (302, 401),
    "another person": (404,),
    "no token": (400,),
    "wrong method": (405,),
    "foreign origin": (403,),
    "wrong host": (400,),
}
"""How a request with one thing wrong is refused."""
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "TRACE")


def wrong_requests(app, wrong):
    """Yield (method, path, names of the ids) of all requests that can have this wrong."""
    served = list(routes(app, private=wrong in ("nobody", "another person")))
    if wrong == "wrong method":
        right = {(method, path) for method, path, _names in served}
        every = {(method, path, tuple(names)) for _, path, names in served for method in METHODS}
        yield from (each for each in every if each[:2] not in right)
        return
    for method, path, names in served:
        changes = method == "POST" and path != "/webhooks/plaid"  # signed
        possible = {
            "nobody": True,
            "no token": changes and path != "/auth/mails/stop/{}",  # mail programs post to it
            "another person": bool(names) and path not in SHARED,
            "wrong host": path not in hosts.OF_PROBES,
        }
        if possible.get(wrong, changes):
            yield method, path, names


@pytest.mark.both_databases
def test_no_route_shows_or_changes_anything_for_a_wrong_request(
    app, client, alice, charlie, belongings, dump
):
    settings = replace(app.config["PLAIDAPP"], public_url="http://localhost")
    app.wsgi_app = ProxyFix(hosts.Believable(app.wsgi_app, settings))
    app.config["WTF_CSRF_ENABLED"] = True
    browsers = dict.fromkeys(REFUSED, alice.client) | {"nobody": client}
    browsers["another person"] = charlie.client
    tokens = {wrong: token_of(browser.get("/auth/login", follow_redirects=True))
              for wrong, browser in browsers.items()}  # fmt: skip
    ids = belongings | {"filename": "app.css"}
    before, tried = dump(), Counter()

    for wrong, statuses in REFUSED.items():
        for method, path, names in wrong_requests(app, wrong):
            headers = {} if wrong == "no token" else {"X-CSRFToken": tokens[wrong]}
            if wrong == "foreign origin":
                headers["Origin"] = "http://evil.example"
            answer = browsers[wrong].open(
                path.format(*(ids[name] for name in names)),
                method=method,
                headers=headers,
                data={"history": "delete", "note": "x", "theme": "dark"},
                base_url="http://evil.example" if wrong == "wrong host" else "http://localhost",
            )
            assert answer.status_code in statuses, (wrong, method, path)
            assert "Platypus" not in answer.text, (wrong, method, path)
            tried[wrong] += 1

    assert dump() == before
    assert not app.extensions["redis"].keys("rq:*")
    assert min(tried.values()) >= 20, tried
