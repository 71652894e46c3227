"""Before anything dangerous, the person proves again who they are."""

import re
from datetime import timedelta

import pytest

from plaidapp import policy
from plaidapp.auth import access
from plaidapp.extensions import db
from plaidapp.store import LoginSession
from plaidapp.store.base.types import now
from tests.conftest import PASSWORD
from tests.pages import Page

HARMLESS = {
    *("signup", "login", "logout", "log_in_with_passkey", "second_factor"),
    *("confirm", "confirm_with_passkey", "rename_passkey"),
    *("revoke", "revoke_others", "cancel_email_change", "resend_email_link"),
    *("forgot", "reset", "confirm_email", "choose_mails", "stop_mails"),
}
"""Forms that let somebody in, ask who it is, are of a link in a mail, or change nothing that opens
the account."""
CARRY_THE_PASSWORD = {"change_password", "delete"}
PAGES = {"authenticator", "new_passkey", "change_name"}
"""Pages that are as dangerous as their forms."""


@pytest.fixture
def stale(app, alice):
    """alice, whose last confirmation is a little too long ago."""
    with app.app_context():
        long_ago = now() - policy.CONFIRMATION_LASTS - timedelta(seconds=1)
        db.session.query(LoginSession).update({"confirmed_at": long_ago})
        db.session.commit()
        db.session.remove()
    return alice


def addresses(app, method):
    """Return the address of each route below /auth, by its name."""
    return {
        rule.endpoint.removeprefix("auth."): re.sub("<.*?>", "1", rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("auth.") and method in (rule.methods or ())
    }


@pytest.mark.both_databases
def test_every_other_form_asks_first_and_changes_nothing(app, stale, dump, subtests):
    """A new form asks too, unless somebody adds it to one of the lists above."""
    forms, before = addresses(app, "POST"), dump()
    assert forms.keys() >= HARMLESS | CARRY_THE_PASSWORD
    asking = forms.keys() - HARMLESS - CARRY_THE_PASSWORD
    assert len(asking) >= 5

    for name in asking:
        with subtests.test(name):
            plain, htmx = stale.client.post(forms[name]), stale.htmx("POST", forms[name])
            assert plain.status_code == 303
            assert plain.location.startswith("/auth/confirm?next=/auth/")
            assert htmx.headers["HX-Redirect"] == plain.location
            here = stale.client.get(plain.location).request.args["next"]
            assert stale.client.get(here).status_code in (200, 302, 303), "it exists"
    for name in PAGES:
        with subtests.test(name):
            path = addresses(app, "GET")[name]
            assert stale.client.get(path).location == f"/auth/confirm?next={path}"
    assert dump() == before


def test_a_form_that_carries_the_password_changes_nothing_without_it(app, stale, dump):
    before = dump()
    for name in CARRY_THE_PASSWORD:
        assert stale.client.post(addresses(app, "POST")[name]).status_code == 422
    assert dump() == before


def confirmed(app):
    with app.app_context():
        moment = db.session.query(LoginSession.confirmed_at).scalar()
        return moment > now() - policy.CONFIRMATION_LASTS


def test_the_right_password_confirms_and_leads_on(app, stale):
    page = stale.client.get("/auth/confirm?next=/finance/items?x=1")
    assert Page(page.text).value("next") == "/finance/items?x=1"

    answer = stale.client.post(
        "/auth/confirm", data={"password": PASSWORD, "next": "/finance/items?x=1"}
    )

    assert (answer.status_code, answer.location) == (303, "/finance/items?x=1")
    assert confirmed(app)
    assert stale.client.get("/auth/account").status_code == 200


def test_a_copied_cookie_is_refused_after_a_confirmation(app, stale):
    copy = app.test_client()
    with stale.client.session_transaction() as session:
        cookie = dict(session)
    with copy.session_transaction() as session:
        session.update(cookie)
    assert copy.get("/finance/accounts.json").status_code == 200

    stale.client.post("/auth/confirm", data={"password": PASSWORD})

    assert copy.get("/finance/accounts.json").status_code == 401
    with stale.client.session_transaction() as session:
        assert session[access.LOGIN] != cookie[access.LOGIN]


@pytest.mark.parametrize("given", ["", "not the password", PASSWORD + "x" * 200])
def test_a_wrong_password_confirms_nothing(app, stale, given):
    answer = stale.client.post("/auth/confirm", data={"password": given})

    assert answer.status_code == 422
    assert "assword." in answer.text
    assert not confirmed(app)


def test_guesses_are_slowed_like_those_at_the_log_in(app, stale):
    for _ in range(policy.FREE_GUESSES):
        assert stale.client.post("/auth/confirm", data={"password": "wrong"}).status_code == 422

    for given in ("wrong", PASSWORD):
        answer = stale.client.post("/auth/confirm", data={"password": given})
        assert answer.status_code == 429
        assert 0 < int(answer.headers["Retry-After"]) <= 30
        assert "Try again in" in answer.text
    assert not confirmed(app)


def test_another_site_is_nowhere_to_go_on_to(stale):
    data = {"password": PASSWORD, "next": "//evil.example/"}

    assert stale.client.post("/auth/confirm", data=data).location == "/auth/account"
