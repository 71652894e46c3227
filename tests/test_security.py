"""Security headers on every answer, and pages that comply with them."""

import re

import pytest

from tests.pages import Page

JSON_PATHS = ("/finance/accounts.json", "/finance/transactions.json")
PAGES = (
    "/finance/",
    "/finance/transactions",
    "/finance/transactions?start_date=tomorrow",
    "/finance/items",
    "/finance/items/1",
    "/finance/pulls/1",
    "/nothing/here",
)
PUBLIC = (
    "/auth/login",
    "/auth/signup",
    "/styleguide",
    "/nothing/here",
    "/healthz",
    "/static/app.css",
)


def policy_of(answer):
    parts = (part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
    return dict(parts)


def protected(answer):
    policy = policy_of(answer)
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["base-uri"] == "'none'"
    assert policy["form-action"].split()[0] == "'self'"  # see also test_link_pages.py
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    permissions = dict(part.split("=") for part in answer.headers["Permissions-Policy"].split(", "))
    ours = {name for name, allowed in permissions.items() if allowed == "(self)"}
    assert ours == {"publickey-credentials-create", "publickey-credentials-get"}
    assert {permissions[name] for name in permissions.keys() - ours} == {"()"}
    assert permissions.keys() > {"camera", "microphone", "geolocation", "payment", "usb"}
    return True


def test_every_answer_is_protected(app, client, connected):
    for path in (*PAGES, *JSON_PATHS, *PUBLIC):
        for browser in (client, connected.client):
            for headers in ({}, {"HX-Request": "true"}):
                assert protected(browser.get(path, headers=headers, buffered=True)), path
    app.config["WTF_CSRF_ENABLED"] = True
    assert protected(client.post("/auth/login"))
    assert protected(client.post("/finance/pulls/accounts"))
    assert protected(client.post("/auth/login", data={"username": "x" * (1024 * 1024 + 1)}))


def test_answers_without_a_page_are_protected_too(client, connected):
    style = client.get("/static/app.css", buffered=True)
    poll = re.search(r"/finance/live\?revision=[\d-]+", connected.client.get("/finance/").text)[0]
    for answer, status in (
        (client.get("/static/app.css", headers={"If-None-Match": style.headers["ETag"]}), 304),
        (client.get("/static/nothing.css"), 404),
        (client.get("/finance/"), 302),
        (client.get("/finance"), 308),
        (client.get("/healthz", headers={"Host": ".."}), 200),
        (client.get("/finance/", headers={"Host": ".."}), 400),
        (client.post("/finance/", headers={"Origin": "null"}), 403),
        (client.put("/finance/"), 405),
        (client.options("/finance/"), 200),
        (client.head("/auth/login"), 200),
        (client.post("/webhooks/plaid", data=b"x"), 401),
        (connected.client.get("/finance/export/transactions.csv", buffered=True), 200),
        (connected.htmx("GET", poll), 204),
    ):
        assert answer.status_code == status
        assert protected(answer)


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://bank.example", True),
        ("https://bank.example:8443", True),
        ("http://bank.example", False),
        ("https://localhost", False),
        ("https://localhost:8000", False),
        ("https://app.localhost", False),
        ("https://127.0.0.1", False),
        ("https://192.168.1.5:8443", False),
        ("https://[2001:db8::1]:8443", False),
    ],
)
def test_only_a_name_on_https_is_kept_on_https(client, address, kept):
    for path in ("/auth/login", "/static/app.css", "/nothing", "/finance/"):
        answer = client.get(path, base_url=address, buffered=True)
        told = answer.headers.get("Strict-Transport-Security")
        assert told == ("max-age=31536000; includeSubDomains" if kept else None), path


def test_an_error_is_protected_too(app, alice, monkeypatch):
    from plaidapp.finance.dashboard import content

    app.testing = False
    monkeypatch.setattr(content, "render_page", None)

    answer = alice.client.get("/finance/")

    assert answer.status_code == 500
    assert protected(answer)
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_browser_does_not_store_private_pages(client, connected):
    for path in (*PAGES, *JSON_PATHS):
        for headers in ({}, {"HX-Request": "true"}):
            answer = connected.client.get(path, headers=headers)
            assert answer.headers["Cache-Control"] == "no-store", path
    assert "no-store" not in client.get("/auth/login").headers.get("Cache-Control", "")


def test_the_browser_may_store_static_files(connected):
    answer = connected.client.get("/static/app.css", buffered=True)

    assert "no-store" not in answer.headers.get("Cache-Control", "")
    assert answer.headers["ETag"]


def test_a_private_page_varies_by_cookie(connected):
    assert "Cookie" in connected.client.get("/finance/").headers["Vary"]


INLINE = re.compile(r"on[a-z]+|hx-on.*|style", re.ASCII)


def faults(html):
    """Yield what the policy would block and every link to another site."""
    for tag, attributes, inside in Page(html).elements:
        if tag in ("style", "iframe", "object", "embed", "base"):
            yield f"<{tag}>"
        if tag == "script" and ("src" not in attributes or "".join(inside).strip()):
            yield "an inline <script>"
        for name, value in attributes.items():
            if INLINE.fullmatch(name):
                yield f"{tag} has {name}"
            if name in ("src", "href", "action", "formaction", "hx-get", "hx-post") and not (
                value or ""
            ).startswith(("/", "#", "?")):
                yield f"{tag} {name} leads to {value}"
            if name in ("src", "href", "action") and (value or "").startswith("//"):
                yield f"{tag} {name} leads to {value}"
            if name in ("hx-vals", "hx-headers") and (value or "").startswith(
                ("js:", "javascript:")
            ):
                yield f"{tag} evaluates its {name}"
            if name == "hx-trigger" and "[" in (value or ""):
                yield f"{tag} evaluates its hx-trigger"


def test_no_page_has_inline_code_or_links_to_other_sites(client, connected, panel_states):
    answers = [
        client.get(path) for path in ("/auth/login", "/auth/signup", "/styleguide", "/nothing")
    ]
    answers += [client.post("/auth/login"), client.post("/auth/signup")]
    for path in PAGES:
        answers += [connected.client.get(path), connected.htmx("GET", path)]
    answers += [connected.client.get(path) for path in panel_states]
    for form in ({}, {"start_date": "x"}):
        answers += [
            connected.client.post("/finance/pulls/total", data=form),
            connected.htmx("POST", "/finance/pulls/total", data=form),
            connected.client.post("/finance/items/sandbox", data=form),
        ]

    for answer in answers:
        if answer.mimetype == "text/html":
            assert list(faults(answer.text)) == [], answer.request.path


@pytest.fixture
def panel_states(app, connected):
    """Return the paths of panels in every state."""
    from plaidapp.extensions import db
    from plaidapp.store import Item
    from plaidapp.store.pulls import kinds, pulls

    with app.app_context():
        item = db.session.get(Item, 1)
        made = [
            pulls.add(connected.id, kind, [item], state=state, error_message="No.")
            for kind in (kinds.ACCOUNTS, kinds.TRANSACTIONS, kinds.LINK)
            for state in (pulls.QUEUED, pulls.RUNNING, pulls.DONE, pulls.FAILED)
        ]
        db.session.commit()
        return [f"/finance/pulls/{pull.id}" for pull in made]


@pytest.mark.parametrize(
    "html",
    [
        "<p style='color:red'>x</p>",
        "<style>p {}</style>",
        "<script>x</script>",
        "<a onclick='x'>x</a>",
        "<a href='javascript:x'>x</a>",
        "<script src='https://cdn.example/x.js'></script>",
        "<script src='//cdn.example/x.js'></script>",
        "<p hx-trigger='click[x]'>x</p>",
    ],
)
def test_faults_finds_inline_code(html):
    assert len(list(faults(html))) >= 1
