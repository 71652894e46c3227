"""The list of devices, and logging them out."""

import pytest

from plaidapp.auth.user_agents import browser_and_system
from tests.conftest import PASSWORD
from tests.logged_in import logged_in
from tests.pages import Page, plain

MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:150.0) Gecko/20100101 Firefox/150.0"
WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like"
    " Gecko) {}Mobile/15E148 Safari/604.1"
)
WINDOWS = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/150.0.0.0 Safari/537.36"


@pytest.mark.parametrize(
    ("user_agent", "names"),
    [
        (MAC, ("Firefox", "macOS")),
        (IPHONE.format("Version/18.5 "), ("Safari", "iPhone")),
        (IPHONE.format("CriOS/150.0.1.2 "), ("Chrome", "iPhone")),
        (IPHONE.format("FxiOS/150.0 "), ("Firefox", "iPhone")),
        (WINDOWS, ("Chrome", "Windows")),
        (f"{WINDOWS} Edg/150.0.0.0", ("Edge", "Windows")),
        (f"{WINDOWS} OPR/120.0.0.0", ("Opera", "Windows")),
        (
            f"Mozilla/5.0 (Linux; Android 15; K) {WEBKIT} SamsungBrowser/28.0 Chrome/130.0.0.0"
            " Mobile Safari/537.36",
            ("Samsung Internet", "Android"),
        ),
        (
            f"Mozilla/5.0 (X11; CrOS x86_64 1.2) {WEBKIT} Chrome/150.0 Safari/537.36",
            ("Chrome", "ChromeOS"),
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0",
            ("Firefox", "Linux"),
        ),
        ("curl/8.5.0", ("curl", "")),
        ("python-requests/2.34.2", ("Python", "")),
        ("", ("", "")),
        ("\x00<script>" * 100_000, ("", "")),
    ],
)
def test_a_user_agent_is_named_in_words(user_agent, names):
    assert browser_and_system(user_agent) == names


@pytest.fixture
def phone(app, alice):
    """A second device of alice, which logged in on the log-in page."""
    browser = app.test_client()
    answer = browser.post(
        "/auth/login",
        data={"username": "alice", "password": PASSWORD},
        headers={"User-Agent": IPHONE.format("Version/18.5 ")},
        environ_base={"REMOTE_ADDR": "203.0.113.24"},
    )
    assert answer.status_code == 302
    return browser


def devices(person):
    """Return the text of each row, and the address of its button if it has one."""
    page = Page(person.client.get("/auth/account").text)
    actions = [form.get("action") or "" for tag, form, _ in page.elements if tag == "form"]
    return [
        (
            plain(" ".join("".join(inside).split())),
            f"/auth/sessions/{row['id'][7:]}/revoke" in actions,
        )
        for tag, row, inside in page.elements
        if tag == "li" and (row.get("id") or "").startswith("device-")
    ]


def test_the_page_lists_the_devices_with_this_one_first(alice, phone, charlie):
    here, there = devices(alice)

    assert here[0].startswith("Firefox on Linux this device Logged in today at ")
    assert here[0].endswith("· 127.0.0.1")
    assert there[0].startswith("Safari on iPhone Last seen today at ")
    assert there[0].endswith("· 203.0.113.24 Log out")
    assert (here[1], there[1]) == (False, True)


def test_a_device_is_logged_out(alice, phone, subtests):
    path = f"/auth/sessions/{2}/revoke"

    answer = alice.client.post(path, follow_redirects=True)

    assert answer.request.path == "/auth/account"
    assert "Safari on iPhone is logged out." in answer.text
    assert len(devices(alice)) == 1
    assert "Log out everywhere else" not in answer.text
    assert phone.get("/finance/").location.startswith("/auth/login")
    assert alice.client.post(path).status_code == 404


@pytest.mark.parametrize("path", ["/auth/sessions/2/revoke", "/auth/sessions/revoke"])
def test_htmx_says_what_happened_and_reloads_the_list(alice, phone, path):
    answer = alice.htmx("POST", path)

    assert (answer.status_code, answer.headers["HX-Retarget"]) == (200, "#notice")
    assert answer.headers["HX-Trigger"] == "devices-changed"
    assert "logged out" in answer.text
    listed = alice.htmx("GET", "/auth/account").text
    assert listed.lstrip().startswith('<section id="devices"')
    assert "iPhone" not in listed


def test_every_other_device_is_logged_out(app, alice, phone, charlie):
    tablet = logged_in(app, alice.id)
    assert "Log out everywhere else" in alice.client.get("/auth/account").text

    answer = alice.client.post("/auth/sessions/revoke", follow_redirects=True)

    assert "You are logged out everywhere else." in answer.text
    assert len(devices(alice)) == 1
    for other in (phone, tablet):
        assert other.get("/finance/accounts.json").status_code == 401
    assert len(devices(charlie)) == 1


@pytest.mark.parametrize("path", ["/auth/sessions/2/revoke", "/auth/sessions/revoke"])
def test_whoever_sits_at_an_open_page_logs_no_other_device_out(alice, phone, later, dump, path):
    later(minutes=11)
    before = dump()["login_session"]

    answer = alice.client.post(path)

    assert answer.location.startswith("/auth/confirm?next=/auth/account")
    assert alice.htmx("POST", path).headers["HX-Redirect"] == answer.location
    assert [row.split(",")[0] for row in dump()["login_session"]] == [
        row.split(",")[0] for row in before
    ]


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["page", "htmx"])
def test_logging_out_this_device_is_a_log_out(alice, headers):
    answer = alice.client.post("/auth/sessions/1/revoke", headers=headers)

    assert (answer.headers.get("HX-Redirect") or answer.location) == "/auth/login"
    assert "Logged out successfully." in alice.client.get("/auth/login").text


def test_a_device_of_another_person_is_a_404(alice, phone, charlie, dump):
    before = dump()

    for login_id in (1, 2, 4711, 2**31, 10**30):
        assert charlie.client.post(f"/auth/sessions/{login_id}/revoke").status_code == 404

    assert dump() == before


def test_the_menu_leads_to_the_account(alice):
    assert Page(alice.client.get("/finance/").text).has(href="/auth/account")
