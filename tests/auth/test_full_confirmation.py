"""Who has a second factor confirms with it too. A form that carries the password needs no more."""

import pytest

from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.store import LoginSession
from plaidapp.store.base.types import now
from tests.conftest import PASSWORD
from tests.factors import add_passkey, set_up_app
from tests.pages import Page

NEW = "another battery and a new horse"


@pytest.fixture
def is_confirmed(app):
    def read():
        with app.app_context():
            moments = db.session.scalars(db.select(LoginSession.confirmed_at))
            return max(moments) > now() - policy.CONFIRMATION_LASTS

    return read


@pytest.fixture
def owner(alice, pass_time):
    """alice, who set up an authenticator app a while ago."""
    alice.app, alice.codes = set_up_app(alice)
    pass_time(minutes=11)
    return alice


def confirm(person, **form):
    data = {"password": PASSWORD, "next": "/auth/factors"} | form
    return person.client.post("/auth/confirm", data=data)


@pytest.mark.both_databases
def test_the_password_needs_a_code_and_each_counts_once(owner, pass_time, is_confirmed):
    page = Page(owner.client.get("/auth/confirm").text)
    assert page.find(name="code")[0]["autocomplete"] == "one-time-code"
    for form, says in (
        ({}, "Enter a code."),
        ({"code": "000000"}, "This code is wrong"),
        ({"recovery_code": "x"}, "This code is wrong"),
    ):
        answer = confirm(owner, **form)
        assert answer.status_code == 422
        assert says in Page(answer.text).beside(next(iter(form), "code"))
    right = {"code": owner.app.code()}
    assert confirm(owner, password="wrong", **right).status_code == 422
    assert not is_confirmed()
    assert owner.client.post("/auth/factors/app/remove").status_code == 303

    assert confirm(owner, **right).location == "/auth/factors"

    assert is_confirmed()
    pass_time(minutes=11)
    for used in (right, {"code": owner.app.code(-21)}):
        assert confirm(owner, **used).status_code == 422
    spent = {"recovery_code": owner.codes[0]}
    assert confirm(owner, code="000000", **spent).location == "/auth/factors"
    pass_time(minutes=11)
    assert confirm(owner, **spent).status_code == 422
    assert not is_confirmed()


def test_a_form_that_carries_the_password_confirms_nothing_else(owner, is_confirmed):
    form = {"current_password": PASSWORD, "password": NEW}
    assert owner.client.post("/auth/password", data=form).location == "/auth/account"
    assert not is_confirmed()
    assert owner.client.post("/auth/factors/app/remove").status_code == 303
    assert owner.client.get("/auth/confirm").status_code == 200

    answer = owner.client.post("/auth/delete", data={"password": NEW})
    assert answer.location == "/auth/login"


def test_guesses_of_codes_are_slowed(owner, is_confirmed):
    answers = [confirm(owner, code="000000") for _ in range(policy.FREE_GUESSES + 2)]
    assert [answer.status_code for answer in answers][-2:] == [429, 429]
    answer = confirm(owner, code=owner.app.code())
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 30
    assert "Try again in" in Page(answer.text).beside("code")
    assert not is_confirmed()


def test_who_has_only_a_passkey_besides_uses_it_or_a_recovery_code(alice, pass_time, is_confirmed):
    add_passkey(alice)
    pass_time(minutes=11)
    page = alice.client.get("/auth/confirm").text
    assert 'name="code"' not in page
    assert "data-passkey" in page

    answer = confirm(alice)

    assert answer.status_code == 422
    assert "Enter a code." in Page(answer.text).beside("recovery_code")
    assert not is_confirmed()


def test_another_person_s_codes_confirm_nothing(owner, charlie, is_confirmed):
    app, codes = set_up_app(charlie)
    for form in ({"code": app.code(1)}, {"recovery_code": codes[0]}):
        assert confirm(owner, **form).status_code == 422
