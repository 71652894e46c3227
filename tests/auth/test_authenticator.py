"""An authenticator app as the second factor: setting it up, logging in, recovery codes."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.store import Activity, Authenticator, RecoveryCode
from tests.factors import codes_on, give_password, is_in, set_up_app
from tests.logged_in import logged_in
from tests.pages import Page

pytestmark = pytest.mark.usefixtures("pass_time")


@pytest.fixture
def browser(app):
    return app.test_client()


@pytest.fixture
def kinds(app):
    """Return what the person can read of, the newest first."""

    def read():
        with app.app_context():
            query = db.select(Activity.kind).order_by(Activity.id.desc())
            return db.session.scalars(query).all()

    return read


def second_step(browser, **form):
    return browser.post("/auth/second-factor", data=form)


@pytest.mark.both_databases
def test_a_log_in_with_an_app_takes_two_steps(alice, browser, kinds):
    app, codes = set_up_app(alice)
    assert len(set(codes)) == policy.RECOVERY_CODES

    first = give_password(browser, next="/finance/items", keep="y")
    assert (first.status_code, first.location) == (302, "/auth/second-factor")
    assert not is_in(browser)
    page = Page(browser.get(first.location).text)
    assert "alice" in page.text
    assert page.find(name="code")[0]["autocomplete"] == "one-time-code"

    second = second_step(browser, code=app.code())

    assert second.location == "/finance/items"
    assert is_in(browser)
    assert browser.get_cookie("session").expires is not None, "the choice to keep it was lost"
    assert "authenticator_added" in kinds()


@pytest.mark.both_databases
def test_a_code_counts_once(app, alice):
    phone, _ = set_up_app(alice)
    code, browsers = phone.code(), [app.test_client() for _ in range(4)]
    for browser in browsers:
        give_password(browser)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda browser: second_step(browser, code=code), browsers))
    assert [is_in(browser) for browser in browsers].count(True) == 1
    for older in (code, phone.code(-1)):
        give_password(browser := app.test_client())
        assert second_step(browser, code=older).status_code == 401


@pytest.mark.parametrize("steps", [-3, -2, 2, 3])
def test_a_code_of_another_time_is_wrong(alice, browser, pass_time, steps):
    app, _ = set_up_app(alice)
    pass_time(minutes=5)
    give_password(browser)

    answer = second_step(browser, code=app.code(steps))

    assert answer.status_code == 401
    assert "wrong" in Page(answer.text).beside("code")
    assert not is_in(browser)
    assert second_step(browser, code=f" {app.code(1)[:3]} {app.code(1)[3:]}").status_code == 302


@pytest.mark.parametrize(
    "code", ["", " ", "12345", "1234567", "abcdef", "１２３４５６", "\0", "1" * 10_000]
)
def test_what_is_no_code_is_refused(alice, browser, code):
    set_up_app(alice)
    give_password(browser)
    for field in ("code", "recovery_code"):
        assert second_step(browser, **{field: code}).status_code in (401, 422)
    assert not is_in(browser)


@pytest.mark.both_databases
def test_a_recovery_code_counts_once_however_it_is_typed(app, alice, kinds):
    _, codes = set_up_app(alice)
    for code in (codes[0].upper(), codes[1].replace("-", " "), f" {codes[2]}"):
        give_password(browser := app.test_client())
        assert second_step(browser, recovery_code=code).status_code == 302
        assert is_in(browser)
        assert kinds()[0] != "wrong_code"
        give_password(again := app.test_client())
        assert second_step(again, recovery_code=code).status_code == 401
        assert not is_in(again)
    page = Page(browser.get("/auth/factors").text)
    assert "7 of 10 left" in page.text


def test_new_recovery_codes_replace_the_old_ones(app, alice):
    _, old = set_up_app(alice)
    answer = alice.client.post("/auth/factors/recovery-codes")
    new = codes_on(answer)
    assert len(new) == policy.RECOVERY_CODES
    assert "data:text/plain" in answer.text
    assert all(code in answer.text.partition("data:")[2] for code in new)
    assert not set(old) & set(new)
    for code, status in ((old[0], 401), (new[0], 302)):
        give_password(browser := app.test_client())
        assert second_step(browser, recovery_code=code).status_code == status


def test_codes_and_secrets_are_not_stored_in_clear(app, alice, dump):
    page = Page(alice.client.get("/auth/factors/app").text)
    secret = page.find(**{"class": "key"})[1].replace(" ", "")
    _, codes = set_up_app(alice)
    stored = repr(dump())
    for private in (secret, *codes, *(code.replace("-", "") for code in codes)):
        assert private not in stored


def test_guesses_are_slowed_across_browsers_and_only_for_strangers(app, alice, browser, pass_time):
    phone, codes = set_up_app(alice)
    give_password(known := app.test_client())
    second_step(known, code=phone.code())
    known.post("/auth/logout")
    pass_time(minutes=2)

    statuses = []
    for _ in range(policy.FREE_GUESSES + 2):
        give_password(stranger := app.test_client())
        statuses.append(second_step(stranger, code="000000").status_code)
    assert statuses == [401] * policy.FREE_GUESSES + [429] * 2
    for right in ({"code": phone.code()}, {"recovery_code": codes[0]}):
        answer = second_step(stranger, **right)
        assert answer.status_code == 429
        assert 0 < int(answer.headers["Retry-After"]) <= 30

    give_password(known)
    assert second_step(known, code=phone.code()).status_code == 302


def test_the_app_is_turned_on_by_a_right_code_only(app, alice, browser):
    page = Page(alice.client.get("/auth/factors/app").text)
    offered = page.value("offered")
    for form in ({"code": "000000"}, {"code": ""}, {}):
        answer = alice.client.post("/auth/factors/app", data={"offered": offered} | form)
        assert answer.status_code == 422
        again = Page(answer.text)
        assert again.find(**{"class": "key"}) == page.find(**{"class": "key"}), "a new key"
        assert again.beside("code")
    for forged in ("", "x", offered[:-4], offered + "ä"):
        form = {"offered": forged, "code": "123456"}
        assert alice.client.post("/auth/factors/app", data=form).status_code == 422
    assert give_password(browser).location == "/finance/"


def test_a_key_that_was_offered_to_somebody_else_is_refused(alice, charlie):
    import pyotp

    page = Page(charlie.client.get("/auth/factors/app").text)
    code = pyotp.TOTP(page.find(**{"class": "key"})[1].replace(" ", "")).now()
    form = {"offered": page.value("offered"), "code": code}
    assert alice.client.post("/auth/factors/app", data=form).status_code == 422
    assert charlie.client.post("/auth/factors/app", data=form).status_code == 200


@pytest.mark.both_databases
def test_turning_it_on_and_off_ends_all_other_sessions(app, alice):
    other = logged_in(app, alice.id)
    set_up_app(alice)
    assert (is_in(alice.client), is_in(other)) == (True, False)

    other = logged_in(app, alice.id)
    answer = alice.client.post("/auth/factors/app/remove")

    assert answer.status_code == 303
    assert (is_in(alice.client), is_in(other)) == (True, False)
    assert give_password(app.test_client()).location == "/finance/"
    with app.app_context():
        assert db.session.query(Authenticator).count() == 0
        assert db.session.query(RecoveryCode).count() == 0


def test_the_qr_code_is_what_the_key_says(alice):
    text = alice.client.get("/auth/factors/app").text
    page = Page(text)
    secret = page.find(**{"class": "key"})[1].replace(" ", "")
    address = re.search(r'href="(otpauth:[^"]+)"', text)[1]
    assert f"secret={secret}" in address
    assert "alice" in address
    assert '<svg width="' in text
    assert "style=" not in text.partition("<svg")[2].partition("</svg>")[0], "the CSP forbids it"


def test_what_changes_the_factors_needs_a_confirmation(alice, pass_time, dump):
    set_up_app(alice)
    pass_time(minutes=11)
    before = dump()
    for path in ("app/remove", "recovery-codes", "passkeys/new", "password/remove"):
        answer = alice.client.post(f"/auth/factors/{path}")
        assert answer.location.startswith("/auth/confirm?next=/auth/factors"), path
    for path in ("app", "passkeys/new", "passkeys/new.json"):
        assert alice.client.get(f"/auth/factors/{path}").location.startswith("/auth/confirm")
    changed = {table for table, rows in dump().items() if rows != before[table]}
    assert changed <= {"login_session"}, "only when it was last seen"
