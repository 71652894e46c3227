"""A second factor can't be skipped: by any route, any order of requests, or a remembered log-in."""

import secrets

import pytest

from plaidapp.extensions import db
from plaidapp.store import LoginSession
from plaidapp.store.people import stored_passwords, users
from tests.auth.test_sessions import copy_of, refusals
from tests.conftest import PASSWORD, password_hash
from tests.factors import add_passkey, give_password, is_in, set_up_app
from tests.logged_in import logged_in

pytestmark = pytest.mark.usefixtures("pass_time")
NEW = {"username": "dora", "email": "dora@example.com", "password": PASSWORD}


class Scene:
    """alice with an app and ten recovery codes, charlie without a factor, and browsers."""

    def __init__(self, app, alice, pass_time):
        self.app, self.alice, self.pass_time = app, alice, pass_time
        self.phone, self.codes = set_up_app(alice)
        self.browser = app.test_client()

    def password(self, browser=None, **form):
        give_password(browser or self.browser, **form)

    def code(self, browser=None):
        """Send a right code that nobody has used."""
        self.pass_time(seconds=60)
        form = {"code": self.phone.code()}
        return (browser or self.browser).post("/auth/second-factor", data=form)

    def change_password(self):
        with self.app.app_context():
            stored_passwords.change(users.by_id(self.alice.id), password_hash() + " ")
            db.session.commit()


def replayed_after_completion(scene):
    scene.password()
    copy = copy_of(scene.app, scene.browser)
    scene.code()
    assert is_in(scene.browser)
    scene.code(copy)
    return copy


def replayed_at_the_log_out(scene):
    scene.password()
    copy = copy_of(scene.app, scene.browser)
    scene.code()
    scene.browser.post("/auth/logout")
    scene.code(copy)
    return copy


def back_button_after_the_log_out(scene):
    scene.password()
    scene.code()
    scene.browser.post("/auth/logout")
    scene.code()
    return scene.browser


def log_out_in_between(scene):
    scene.password()
    scene.browser.post("/auth/logout")
    scene.code()
    return scene.browser


def after_a_new_password(scene):
    scene.password()
    scene.change_password()
    scene.code()
    return scene.browser


def after_ten_minutes(scene):
    scene.password()
    scene.pass_time(minutes=10)
    scene.code()
    return scene.browser


def without_the_password(scene):
    scene.browser.get("/auth/login")
    scene.code()
    return scene.browser


def after_a_wrong_password(scene):
    scene.password(password="wrong")
    scene.code()
    return scene.browser


def after_a_wrong_code(scene):
    scene.password()
    scene.browser.post("/auth/second-factor", data={"code": "000000"})
    scene.browser.get("/auth/second-factor")
    return scene.browser


def password_twice(scene):
    scene.password()
    scene.password()
    return scene.browser


def from_a_known_device(scene):
    scene.password()
    scene.code()
    assert is_in(scene.browser)
    scene.browser.post("/auth/logout")
    scene.password()
    return scene.browser


def after_the_app_is_gone(scene):
    scene.password()
    scene.alice.client.post("/auth/factors/app/remove")
    scene.browser.post("/auth/second-factor", data={"recovery_code": scene.codes[0]})
    return scene.browser


def with_a_kept_log_in(scene):
    scene.password(keep="y")
    return scene.browser


def a_session_from_before(scene):
    """An open one ends when the first factor is added."""
    other = logged_in(scene.app, scene.alice.id)
    scene.alice.client.post("/auth/factors/app/remove")
    set_up_app(scene.alice)
    return other


ORDERS = (
    *(replayed_after_completion, replayed_at_the_log_out, back_button_after_the_log_out),
    *(log_out_in_between, after_a_new_password, after_ten_minutes, without_the_password),
    *(after_a_wrong_password, after_a_wrong_code, password_twice, from_a_known_device),
    *(after_the_app_is_gone, with_a_kept_log_in, a_session_from_before),
)


@pytest.mark.parametrize("order", ORDERS)
def test_no_order_of_requests_gets_in_without_the_second_factor(app, alice, pass_time, order):
    browser = order(Scene(app, alice, pass_time))

    assert not is_in(browser)
    assert browser.get("/auth/account").location.startswith("/auth/login")


def test_a_half_log_in_opens_no_route_at_all(app, alice, pass_time, monkeypatch, dump):
    monkeypatch.setattr("plaidapp.finance.pulls.long_poll.LONGEST", 0)
    scene = Scene(app, alice, pass_time)
    scene.password(keep="y")
    before = dump()

    assert list(refusals(app, scene.browser)) == []

    assert dump() == before
    assert scene.code().status_code == 302, "the half log-in has ended"
    assert is_in(scene.browser)


def test_another_log_in_in_between_gets_its_own_account_only(app, alice, charlie, pass_time):
    scene = Scene(app, alice, pass_time)
    for somebody in ("charlie", "dora"):
        scene.password()
        if somebody == "charlie":
            give_password(scene.browser, "charlie")
        else:
            assert scene.browser.post("/auth/signup", data=NEW).status_code == 302
        scene.code()
        page = scene.browser.get("/finance/").text
        assert somebody in page
        assert "alice" not in page
        scene.browser.post("/auth/logout")


def test_a_code_opens_the_account_of_its_owner_only(app, alice, charlie, pass_time):
    scene = Scene(app, alice, pass_time)
    set_up_app(charlie)
    give_password(scene.browser, "charlie")
    assert scene.code().status_code == 401
    form = {"recovery_code": scene.codes[0]}
    assert scene.browser.post("/auth/second-factor", data=form).status_code == 401
    assert not is_in(scene.browser)


def test_the_second_step_is_not_kept_by_the_browser_and_forgets_no_log_in(app, alice, pass_time):
    scene = Scene(app, alice, pass_time)
    far = "/finance/transactions?q=" + secrets.token_hex(4_000)
    scene.password(next=far)
    assert len(scene.browser.get_cookie("session").value) < 4_000
    assert scene.browser.get("/auth/second-factor").headers["Cache-Control"] == "no-store"
    assert scene.code().location == "/"
    assert is_in(scene.browser)


def test_two_tabs_get_in_once_each(app, alice, pass_time):
    """Each has its own half log-in, so the older one is gone; the newer one works."""
    scene = Scene(app, alice, pass_time)
    scene.password()
    older = copy_of(app, scene.browser)
    scene.password()
    assert scene.code().status_code == 302
    assert scene.code(older).status_code == 302, "a log-in of its own"
    with app.app_context():
        assert db.session.query(LoginSession).count() == 3


def test_a_passkey_s_owner_needs_it_after_the_password_too(app, alice):
    add_passkey(alice)
    browser = app.test_client()
    give_password(browser)
    assert list(refusals(app, browser)) == []
