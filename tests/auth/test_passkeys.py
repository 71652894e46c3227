"""Passkeys: added, used for each step, renamed, removed, and refused. The browser is a fake one.

tests/e2e/test_passkeys.py has the whole way through Chromium.
"""

import json
from dataclasses import replace

import pytest
from werkzeug.middleware.proxy_fix import ProxyFix

from plaidapp import hosts, policy
from plaidapp.extensions import db
from plaidapp.store import Activity, LoginSession, Passkey
from plaidapp.store.people import recovery_codes
from tests.conftest import PASSWORD
from tests.factors import add_passkey, codes_on, give_password, is_in, log_in_with
from tests.fake_authenticator import CAN_BE_COPIED, PRESENT, VERIFIED, FakeAuthenticator
from tests.logged_in import logged_in
from tests.pages import Page


@pytest.fixture
def browser(app):
    return app.test_client()


def stored(app):
    with app.app_context():
        return db.session.scalars(db.select(Passkey).order_by(Passkey.id)).all()


def second_step(browser, device):
    options = browser.get("/auth/second-factor/passkey.json").json
    return browser.post("/auth/second-factor", data={"credential": device.get(options)})


@pytest.mark.both_databases
def test_a_passkey_is_both_factors(app, alice, browser):
    device = add_passkey(alice)

    answer = log_in_with(browser, device, next="/finance/items", keep="y")

    assert (answer.status_code, answer.location) == (302, "/finance/items")
    assert is_in(browser)
    assert browser.get_cookie("session").expires is not None
    [passkey] = stored(app)
    assert (passkey.name, passkey.host, passkey.sign_count) == ("Laptop", "localhost", 2)
    assert passkey.last_used_at is not None


@pytest.mark.both_databases
def test_the_first_one_brings_recovery_codes_and_ends_other_sessions(app, alice):
    other = logged_in(app, alice.id)
    device = FakeAuthenticator()
    options = alice.client.get("/auth/factors/passkeys/new.json").json
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["authenticatorSelection"]["residentKey"] == "required"
    form = {"credential": device.create(options), "name": ""}

    answer = alice.client.post("/auth/factors/passkeys/new", data=form)

    assert len(codes_on(answer)) == policy.RECOVERY_CODES
    assert (is_in(alice.client), is_in(other)) == (True, False)
    assert stored(app)[0].name, "it has a name of its own"
    other = logged_in(app, alice.id)
    assert codes_on(alice.client.get("/auth/factors")) == []
    add_passkey(alice)
    assert is_in(other), "one more factor ends nothing"


def test_it_is_the_second_factor_after_the_password(app, alice, browser):
    device = add_passkey(alice)
    assert give_password(browser).location == "/auth/second-factor"
    assert 'name="code"' not in browser.get("/auth/second-factor").text
    assert second_step(browser, device).status_code == 302
    assert is_in(browser)


def test_it_confirms_who_it_is(app, alice):
    device = add_passkey(alice)
    with app.app_context():
        db.session.query(LoginSession).update({"confirmed_at": None})
        db.session.commit()
    asked = alice.client.post("/auth/factors/recovery-codes").location
    assert asked == "/auth/confirm?next=/auth/factors"
    options = alice.client.get("/auth/confirm/passkey.json").json
    assert len(options["allowCredentials"]) == 1
    form = {"credential": device.get(options), "next": "/auth/factors"}

    assert alice.client.post("/auth/confirm/passkey", data=form).location == "/auth/factors"

    assert alice.client.post("/auth/factors/recovery-codes").status_code == 200
    assert alice.client.post("/auth/confirm/passkey", data=form).status_code == 422, "used twice"


def forged(device):
    other = FakeAuthenticator()
    other.credential_id, other.user_handle = device.credential_id, device.user_handle
    return other


WRONG = {
    "another site's page": lambda device: setattr(device, "origin", "https://evil.example"),
    "another port": lambda device: setattr(device, "origin", "http://localhost:81"),
    "a page within another": lambda device: device.client_data.update(crossOrigin=True),
    "another host": lambda device: setattr(device, "host", "evil.example"),
    "nobody was asked": lambda device: setattr(device, "flags", PRESENT),
    "nobody was there": lambda device: setattr(device, "flags", VERIFIED),
    "it can be copied now": lambda device: setattr(device, "flags", device.flags | CAN_BE_COPIED),
    "another challenge": lambda device: device.client_data.update(challenge="AAAA"),
    "it was made, not used": lambda device: device.client_data.update(type="webauthn.create"),
    "another person's handle": lambda device: setattr(device, "user_handle", "Ym9i"),
    "an unknown key": lambda device: setattr(device, "credential_id", b"unknown"),
    "a forged signature": lambda device: vars(device).update(vars(forged(device))),
    "it counted back": lambda device: setattr(device, "count", 0),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_with_a_passkey_keeps_it_out(app, alice, dump, wrong):
    device = add_passkey(alice)
    log_in_with(app.test_client(), device)
    if wrong == "it counted back":
        for _ in range(3):
            log_in_with(app.test_client(), device)
    WRONG[wrong](device)
    before = dump()

    answer = log_in_with(browser := app.test_client(), device)

    assert answer.status_code == 401
    said = Page(answer.text).find_all(role="alert", **{"class": "error"})
    assert sum(bool(text) for _, text in said) == 1
    assert not is_in(browser)
    give_password(browser)
    assert second_step(browser, device).status_code == 401
    assert not is_in(browser)
    changed = {table for table, rows in dump().items() if rows != before[table]}
    copied = wrong == "it counted back"
    assert changed == ({"activity", "spent_token"} if copied else set())


def test_a_copy_of_a_passkey_is_noticed(app, alice, browser):
    device = add_passkey(alice)
    log_in_with(browser, device)
    device.count -= 1  # the original goes on from where the copy was made

    answer = log_in_with(app.test_client(), device)

    assert "may have been copied" in answer.text
    with app.app_context():
        kinds = db.session.scalars(db.select(Activity.kind)).all()
    assert "passkey_copied" in kinds


def test_a_passkey_that_does_not_count_is_fine(app, alice):
    device = add_passkey(alice, counts=False)
    for _ in range(2):
        assert log_in_with(app.test_client(), device).status_code == 302


@pytest.mark.both_databases
def test_an_answer_counts_once_and_in_the_browser_that_was_asked(app, alice, browser):
    device = add_passkey(alice, counts=False)
    options = browser.get("/auth/login/passkey.json").json
    copy = app.test_client()
    copy.set_cookie("session", browser.get_cookie("session").value)
    form = {"credential": device.get(options)}
    strange = app.test_client()
    assert strange.post("/auth/login/passkey", data=form).status_code == 401
    strange.get("/auth/login/passkey.json")
    assert strange.post("/auth/login/passkey", data=form).status_code == 401

    assert browser.post("/auth/login/passkey", data=form).status_code == 302

    assert copy.post("/auth/login/passkey", data=form).status_code == 401
    assert not is_in(copy)


def test_a_challenge_is_for_one_purpose_and_a_short_time(app, alice, browser, later):
    device = add_passkey(alice)
    answer = device.get(browser.get("/auth/login/passkey.json").json)
    give_password(browser)
    assert browser.post("/auth/second-factor", data={"credential": answer}).status_code == 401
    answer = device.get(browser.get("/auth/second-factor/passkey.json").json)
    assert browser.post("/auth/login/passkey", data={"credential": answer}).status_code == 401
    answer = device.get(browser.get("/auth/login/passkey.json").json)
    later(minutes=6)
    assert browser.post("/auth/login/passkey", data={"credential": answer}).status_code == 401
    assert not is_in(browser)


@pytest.mark.parametrize(
    "answer",
    ["", "x", "[]", "null", '"a"', "{}", "[" * 5_000, '{"id":1}', '{"id":"é","rawId":"="}', "\0"],
)
def test_what_is_no_answer_is_refused(app, alice, browser, answer):
    device = add_passkey(alice)
    for path in ("/auth/login/passkey", "/auth/confirm/passkey", "/auth/factors/passkeys/new"):
        person = browser if "login" in path else alice.client
        person.get(f"{path}.json")
        reply = person.post(path, data={"credential": answer, "name": "x"})
        assert reply.status_code in (401, 422)
    broken = json.loads(device.get(browser.get("/auth/login/passkey.json").json))
    for part in ("clientDataJSON", "authenticatorData", "signature", "userHandle"):
        browser.get("/auth/login/passkey.json")
        sent = broken | {"response": broken["response"] | {part: answer}}
        reply = browser.post("/auth/login/passkey", data={"credential": json.dumps(sent)})
        assert reply.status_code == 401
    assert len(stored(app)) == 1


def test_another_person_s_passkey_is_no_second_factor(app, alice, charlie, browser):
    add_passkey(alice)
    device = add_passkey(charlie)
    give_password(browser)
    assert second_step(browser, device).status_code == 401
    answer = device.get(alice.client.get("/auth/confirm/passkey.json").json)
    assert (
        alice.client.post("/auth/confirm/passkey", data={"credential": answer}).status_code == 422
    )


def test_a_passkey_belongs_to_one_host(app, alice):
    """Several hosts may be names of the site. A browser offers the passkeys of its host only."""
    settings = replace(app.config["PLAIDAPP"], allowed_hosts=("bank.example", "localhost"))
    app.wsgi_app = ProxyFix(hosts.Believable(app.wsgi_app, settings))
    here = add_passkey(alice)
    there, https = app.test_client(), "https://bank.example"
    here.origin = https
    for host in ("localhost", "bank.example"):
        here.host = host
        options = there.get("/auth/login/passkey.json", base_url=https).json
        assert options["rpId"] == "bank.example"
        form = {"credential": here.get(options)}
        assert there.post("/auth/login/passkey", data=form, base_url=https).status_code == 401
    form = {"username": "alice", "password": PASSWORD}
    there.post("/auth/login", data=form, base_url=https)
    page = there.get("/auth/second-factor", base_url=https).text
    assert "passkeys for localhost" in Page(page).text
    assert "data-passkey" not in page


def test_an_address_that_is_a_number_has_no_passkeys(app, alice):
    here = "http://127.0.0.1"
    browser = app.test_client()
    assert "data-passkey" not in browser.get("/auth/login", base_url=here).text
    assert browser.get("/auth/login/passkey.json", base_url=here).status_code == 404
    form = {"username": "alice", "password": PASSWORD}
    browser.post("/auth/login", data=form, base_url=here)
    assert "only a number" in browser.get("/auth/factors", base_url=here).text
    assert "only a number" in browser.get("/auth/factors/passkeys/new", base_url=here).text
    assert browser.get("/auth/factors/passkeys/new.json", base_url=here).status_code == 404


def test_names_are_the_person_s_own(app, alice):
    add_passkey(alice)
    rename = f"/auth/factors/passkeys/{stored(app)[0].id}/rename"
    for name, status in (("", 422), ("x" * 65, 422), (" \0 ", 422), ("  My <b> phone ", 303)):
        assert alice.client.post(rename, data={"name": name}).status_code == status
    assert stored(app)[0].name == "My <b> phone"
    assert "My &lt;b&gt; phone" in alice.client.get("/auth/factors").text


@pytest.mark.both_databases
def test_removing_one_ends_other_sessions_and_the_passkey(app, alice, browser):
    device = add_passkey(alice)
    log_in_with(browser, device)

    answer = alice.client.post(f"/auth/factors/passkeys/{stored(app)[0].id}/remove")

    assert answer.status_code == 303
    assert (is_in(alice.client), is_in(browser)) == (True, False)
    assert log_in_with(app.test_client(), device).status_code == 401
    with app.app_context():
        assert recovery_codes.left(alice.id) == 0, "there is nothing left to recover"


def test_a_person_has_a_bounded_number_of_passkeys(app, alice, monkeypatch):
    monkeypatch.setattr(policy, "PASSKEYS_PER_PERSON", 1)
    add_passkey(alice)
    options = alice.client.get("/auth/factors/passkeys/new.json").json
    form = {"credential": FakeAuthenticator().create(options)}
    assert alice.client.post("/auth/factors/passkeys/new", data=form).status_code == 422
    assert len(stored(app)) == 1


def test_nobody_logs_in_to_an_account_that_is_being_deleted(app, alice):
    """The worker deletes the rows, and may be away for long."""
    device = add_passkey(alice)
    give_password(half := app.test_client())
    assert alice.client.post("/auth/delete", data={"password": PASSWORD}).status_code == 303
    for handle in (device.user_handle, None):  # a security key may leave it out
        device.user_handle = handle
        assert log_in_with(browser := app.test_client(), device).status_code == 401
        assert not is_in(browser)
    assert half.get("/auth/second-factor").location == "/auth/login"


@pytest.mark.both_databases
def test_passkeys_may_be_the_only_way_in(app, alice, browser):
    assert alice.client.post("/auth/factors/password/remove").status_code == 422
    device = add_passkey(alice)

    assert alice.client.post("/auth/factors/password/remove").status_code == 303

    for password in (PASSWORD, "", "nobody has this password"):
        answer = browser.post("/auth/login", data={"username": "alice", "password": password})
        assert answer.status_code in (401, 422)
    only = f"/auth/factors/passkeys/{stored(app)[0].id}/remove"
    answer = alice.client.post(only)
    assert answer.status_code == 422
    assert "only way into your account" in answer.text
    assert log_in_with(browser, device).status_code == 302
    assert is_in(browser)
    assert "password" not in browser.get("/auth/confirm").text.partition("<main")[2].lower()

    new = PASSWORD[::-1]
    assert "current_password" not in browser.get("/auth/password").text
    assert browser.post("/auth/password", data={"password": "short"}).status_code == 422
    assert browser.post("/auth/password", data={"password": new}).status_code == 303
    assert give_password(app.test_client(), password=new).location == "/auth/second-factor"
