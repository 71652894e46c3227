"""Changes that another site's page asks for are refused, whatever token they have."""

import re
from dataclasses import replace

import pytest

from tests.pages import token_of

EVIL = "https://evil.example"
FOREIGN = (
    {"Origin": EVIL},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://localhost:666"},  # the browser of the tests is at localhost, port 80
    {"Origin": "http://localhost.evil.example"},
    {"Origin": "ftp://localhost"},
    {"Origin": "localhost"},
    {"Origin": "http://["},
    {"Origin": "http://localhost:x"},
    {"Origin": f"http://localhost, {EVIL}"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "x"},
    {"Sec-Fetch-Site": "same-origin", "Origin": EVIL},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
)
OWN = (
    {},
    {"Origin": "http://localhost"},
    {"Origin": "http://localhost:80"},
    {"Origin": "https://localhost"},  # a proxy in front may speak https
    {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"},
    {"Sec-Fetch-Site": "none"},
    {"Referer": f"{EVIL}/page"},
)


@pytest.fixture
def token(app, alice):
    app.config["WTF_CSRF_ENABLED"] = True
    return token_of(alice.client.get("/finance/items"))


@pytest.mark.parametrize("htmx", [{}, {"HX-Request": "true"}], ids=["form", "htmx"])
def test_only_a_page_of_ours_can_change_anything(alice, token, dump, htmx):
    def choose(zone, headers):
        form = {"csrf_token": token, "time_zone": zone}
        return alice.client.post("/finance/time-zone", data=form, headers=headers | htmx)

    before = dump()
    for headers in FOREIGN:
        answer = choose("Asia/Tokyo", headers)
        assert answer.status_code == 403, headers
        assert "another site" in answer.text
        assert ("<html" in answer.text) is (not htmx)
    assert dump() == before

    for headers in OWN:
        assert choose("Asia/Tokyo", headers).status_code in (200, 302), headers
    assert choose("Asia/Tokyo", {}).status_code in (200, 302)


def test_without_a_token_no_origin_helps(alice, token):
    for headers in OWN:
        assert alice.client.post("/auth/logout", headers=headers).status_code == 400


def test_every_change_is_refused_on_every_path_but_plaids_webhook(app, alice, dump):
    before = dump()
    paths = {re.sub(r"<[\w:]+>", "1", rule.rule) for rule in app.url_map.iter_rules()}
    for path in {*paths, "/nothing", "/finance"} - {"/webhooks/plaid"}:
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            answer = alice.client.open(path, method=method, headers={"Origin": EVIL})
            assert answer.status_code == 403, (method, path)
    assert dump() == before

    assert alice.client.post("/webhooks/plaid", headers={"Origin": EVIL}).status_code == 401


def test_reading_is_allowed_from_everywhere(alice):
    """A link in a mail, and the way back from Plaid, come from other sites."""
    for headers in ({"Origin": EVIL}, {"Sec-Fetch-Site": "cross-site"}):
        assert alice.client.get("/finance/", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("address", "origin", "status"),
    [
        ("http://bank.example", "https://bank.example", 400),  # past it; now the token is missing
        ("http://10.0.0.1:8000", "https://bank.example", 400),  # the proxy names a host of its own
        ("https://bank.example", "http://bank.example", 403),  # no page of ours is on plain http
        ("http://10.0.0.1:8000", "https://bank.example:8443", 403),
    ],
)
def test_pages_at_the_public_address_are_ours(app, client, token, address, origin, status):
    app.config["PLAIDAPP"] = replace(app.config["PLAIDAPP"], public_url="https://bank.example")
    answer = client.post("/auth/login", base_url=address, headers={"Origin": origin})
    assert answer.status_code == status


def test_over_https_no_referer_is_needed(app, client):
    app.config["WTF_CSRF_ENABLED"] = True
    there = "https://bank.example"
    token = token_of(client.get("/auth/login", base_url=there))
    data = {"csrf_token": token, "username": "x", "password": "y"}
    assert client.post("/auth/login", base_url=there, data=data).status_code == 401
