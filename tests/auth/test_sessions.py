"""Sessions on the server: what ends them, what a copied cookie is worth then, and the cookie."""

import re
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime

import pytest
from sqlalchemy import select, text

from plaidapp import extensions
from plaidapp.extensions import db
from plaidapp.store import LoginSession
from plaidapp.store.people import users
from plaidapp.store.pulls import kinds, pulls
from tests.auth.test_access import routes
from tests.conftest import PASSWORD
from tests.logged_in import logged_in
from tests.pages import set_cookie

HTMX = {"HX-Request": "true"}


@pytest.fixture
def log_in(app, alice):
    """Log in on the log-in page, from another browser. Returns the browser and the answer."""

    def post(**fields):
        browser = app.test_client()
        form = {"username": "alice", "password": PASSWORD} | fields
        return browser, browser.post("/auth/login", data=form)

    return post


@pytest.fixture
def sessions(app):
    def read():
        with app.app_context():
            return db.session.scalars(select(LoginSession).order_by(LoginSession.id)).all()

    return read


def copy_of(app, browser):
    """Return another browser with the same cookie."""
    copy = app.test_client()
    copy.set_cookie("session", browser.get_cookie("session").value)
    return copy


def use_daily(browser, later, days):
    """Use a session every day, so that it is never idle."""
    for _ in range(days):
        later(days=1, minutes=-1)
        assert browser.get("/finance/recurring").status_code == 200


def revoke(browser, sessions):
    other = next(session.id for session in sessions() if not session.kept)
    return browser.post(f"/auth/sessions/{other}/revoke")


ENDS = {
    "log-out": lambda browser, **_: browser.post("/auth/logout"),
    "revoked": lambda alice, sessions, **_: revoke(alice.client, sessions),
    "revoked alone": lambda browser, sessions, **_: revoke(browser, sessions),
    "everywhere else": lambda alice, **_: alice.client.post("/auth/sessions/revoke"),
    "a day without use": lambda later, **_: later(hours=24),
    "a week of use": lambda browser, later, **_: (use_daily(browser, later, 7), later(hours=1)),
}


def refusals(app, browser):
    """Ask for everything as the browser; return what was not refused."""
    version = users.version_of(0, users.time_zones.zone_of("UTC"))
    polls = [rule.rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("polled.")]
    polls += ["/finance/items", "/finance/accounts", "/finance/items/1"]
    asked = [(method, path.format(*(1 for _ in names))) for method, path, names in routes(app)]
    for revision in (version, "0"):
        asked += [
            ("GET", re.sub(r"<\w+:\w+>", "1", path) + f"?revision={revision}") for path in polls
        ]
    assert len(asked) > 60
    for method, path in asked:
        for headers in ({}, HTMX):
            answer = browser.open(path, method=method, headers=headers)
            refused = answer.status_code == 401 or (answer.location or "").startswith("/auth/login")
            if not refused:
                yield method, path, headers, answer.status_code


@pytest.mark.parametrize("end", ENDS)
def test_a_copied_cookie_is_refused_everywhere(
    app, alice, log_in, sessions, later, dump, monkeypatch, end
):
    monkeypatch.setattr("plaidapp.finance.pulls.long_poll.LONGEST", 0)
    with app.app_context():
        pulls.add(alice.id, kinds.LINK)
        db.session.commit()
    browser, _ = log_in()
    copied = copy_of(app, browser)
    poll = f"/finance/live?revision={users.version_of(0, users.time_zones.zone_of('UTC'))}"
    for path in ("/finance/", "/finance/accounts.json", "/finance/export/transactions.csv"):
        assert copied.get(path).status_code == 200
    for path in (poll, "/finance/pulls/1?revision=0"):
        assert copied.get(path, headers=HTMX).status_code == 204

    ENDS[end](browser=browser, alice=alice, sessions=sessions, later=later)

    before = dump()
    assert list(refusals(app, copied)) == []
    assert dump() == before


@pytest.mark.parametrize("days", [14, 30])
def test_a_kept_log_in_ends_after_two_weeks_without_use_or_thirty_days(
    app, log_in, sessions, later, days
):
    browser, _ = log_in(keep="y")
    copied = copy_of(app, browser)
    if days == 30:
        use_daily(browser, later, 30)
        later(hours=1)
    else:
        later(days=13, hours=23)
        assert copied.get("/finance/accounts.json").status_code == 200
        later(days=14)

    for path in ("/finance/accounts.json", "/finance/live?revision=0"):
        assert copied.get(path, headers=HTMX).status_code == 401


def test_a_cookie_without_a_session_is_refused(app, alice, charlie):
    """Such as one of a version before there were sessions, or one that mixes two people's."""
    browser = app.test_client()
    with alice.client.session_transaction() as session:
        token = session["login"]
    for cookie in ({"_user_id": str(alice.id)}, {"_user_id": str(charlie.id), "login": token}):
        with browser.session_transaction() as session:
            session.clear()
            session.update(cookie)
        assert list(refusals(app, browser)) == []


def test_the_other_sessions_go_on(alice, log_in, charlie):
    browser, _ = log_in()

    browser.post("/auth/logout")

    for person in (alice, charlie):
        assert person.client.get("/finance/accounts.json").status_code == 200


def test_only_the_hash_of_the_token_is_stored(log_in, dump):
    browser, _ = log_in()

    with browser.session_transaction() as session:
        token = session["login"]
    assert len(token) >= 43  # 256 bits
    assert token not in repr(dump())


def test_each_log_in_has_its_own_token_and_csrf_token(app, alice, log_in):
    app.config["WTF_CSRF_ENABLED"] = True
    browser = app.test_client()
    tokens = []
    for _ in range(2):
        browser.get("/auth/login")
        with browser.session_transaction() as session:
            before = session["csrf_token"]
        page = browser.get("/auth/login").text
        form = {"csrf_token": re.search(r'csrf_token"[^>]*value="([^"]*)"', page)[1]}
        browser.post("/auth/login", data=form | {"username": "alice", "password": PASSWORD})
        browser.get("/finance/")
        with browser.session_transaction() as session:
            assert session["csrf_token"] != before
            tokens.append(session["login"])
        old = browser.post("/auth/logout", data=form)
        assert old.status_code == 400
        page = browser.get("/finance/").text
        form = {"csrf_token": re.search(r'csrf_token"[^>]*value="([^"]*)"', page)[1]}
        assert browser.post("/auth/logout", data=form).status_code == 302
    assert len(set(tokens)) == 2


@pytest.mark.both_databases
def test_the_last_use_is_stored_once_a_minute(alice, sessions, later):
    begun = sessions()[0]
    alice.client.get("/finance/")
    assert sessions()[0].last_used_at == begun.last_used_at
    later(minutes=1)

    answer = alice.client.get("/finance/", environ_base={"REMOTE_ADDR": "2001:db8::7"})

    used = sessions()[0]
    assert used.last_used_at - begun.last_used_at == used.ends_at - begun.ends_at
    assert (used.last_used_at - begun.last_used_at).total_seconds() >= 60
    assert (used.address, used.created_at) == ("2001:db8::7", begun.created_at)
    assert "Set-Cookie" not in answer.headers
    alice.client.post("/finance/pulls/1/dismiss")
    assert sessions()[0].last_used_at == used.last_used_at


def test_a_poll_is_not_use(alice, sessions, later):
    begun = sessions()[0]
    later(hours=1)
    version = users.version_of(0, users.time_zones.zone_of("UTC"))
    alice.htmx("GET", f"/finance/live?revision={version}")
    assert sessions()[0].last_used_at == begun.last_used_at, "a poll without news is free"
    for path in ("/finance/live?revision=0", "/finance/live"):
        alice.htmx("GET", path)
        assert (sessions()[0].ends_at == begun.ends_at) is ("revision" in path)


@pytest.mark.parametrize(
    "path", ["/finance/accounts.json", "/finance/", "/finance/live", "/finance/items"]
)
def test_nobody_reads_anything_unseen(alice, sessions, later, path):
    begun = sessions()[0].last_used_at
    later(hours=1)

    assert alice.htmx("GET", f"{path}?revision=x").status_code == 200

    assert sessions()[0].last_used_at > begun


@pytest.mark.both_databases
def test_a_page_does_not_wait_to_store_the_last_use(app, alice, sessions, later, monkeypatch):
    monkeypatch.setattr(extensions.sqlite, "BUSY_TIMEOUT", 600_000)
    begun = sessions()[0].last_used_at
    later(minutes=2)
    with app.app_context(), db.engine.begin() as other, ThreadPoolExecutor() as pool:
        other.execute(text("UPDATE login_session SET system = 'Plan 9'"))
        for method, path in (("GET", "/finance/"), ("GET", "/finance/transactions.json")):
            answer = pool.submit(alice.client.open, path, method=method)
            assert answer.result(20).status_code == 200
        other.rollback()
    assert sessions()[0].last_used_at == begun


def test_a_kept_log_in_outlives_the_browser_but_does_not_renew_itself(log_in, later):
    browser, answer = log_in(keep="y")
    first = browser.get_cookie("session").expires
    expires = re.search("Expires=([^;]+)", set_cookie(answer, "session"))
    assert first == parsedate_to_datetime(expires[1])
    later(days=10)
    browser.get("/auth/login")
    browser.post("/auth/sessions/revoke")  # its message is stored in the cookie

    assert browser.get_cookie("session").expires == first


@pytest.mark.parametrize("path", ["/auth/login", "/auth/signup"])
def test_without_keep_the_browser_forgets_the_log_in_when_it_is_closed(client, alice, path):
    form = {"username": "dora", "email": "dora@example.com", "password": PASSWORD, "keep": "y"}
    if path == "/auth/login":
        form |= {"username": "alice", "keep": ""}

    answer = client.post(path, data=form)

    assert answer.status_code == 302
    assert "Expires" not in set_cookie(answer, "session")
    assert "Max-Age" not in set_cookie(answer, "session")


def test_the_cookie_over_https_has_a_name_that_no_other_site_can_set(app, alice):
    browser = app.test_client(use_cookies=False)
    over_tls, plain = "https://bank.example", "http://bank.example"

    def read(cookie, base_url):
        headers = {"Cookie": cookie}
        answer = browser.get("/finance/accounts.json", headers=headers, base_url=base_url)
        return answer.status_code

    form = {"username": "alice", "password": PASSWORD}
    answer = browser.post("/auth/login", data=form, base_url=over_tls)

    cookie, *flags = set_cookie(answer, "__Host-session").split("; ")
    without = cookie.removeprefix("__Host-")
    assert cookie.startswith("__Host-session=")
    assert set(flags) == {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"}
    assert (read(cookie, over_tls), read(without, over_tls)) == (200, 401)
    # The cookie of one scheme is never read over the other.
    assert (read(cookie, plain), read(without, plain)) == (401, 200)


def test_a_person_has_a_bounded_number_of_sessions(app, alice, sessions, monkeypatch):
    monkeypatch.setattr("plaidapp.policy.SESSIONS_PER_PERSON", 3)
    browsers = [logged_in(app, alice.id) for _ in range(3)]

    codes = [browser.get("/finance/accounts.json").status_code for browser in browsers]

    assert codes == [200, 200, 200]
    assert alice.client.get("/finance/accounts.json").status_code == 401
    assert len(sessions()) == 3
