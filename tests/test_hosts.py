"""Which hosts, schemes and addresses of a request the app believes."""

import logging
from dataclasses import replace

import pytest
from flask import request, session, url_for

from plaidapp import create_app, hosts, policy
from plaidapp.extensions import db
from plaidapp.finance.connections import link_pages

PUBLIC = "https://bank.example"
EVERYWHERE = {"SERVER_NAME": "0.0.0.0", "SERVER_PORT": "8000"}  # noqa: S104
HERE = {"SERVER_NAME": "127.0.0.1", "SERVER_PORT": "8000"}
LOOPBACK = ("localhost", "localhost:8000", "127.0.0.1", "127.0.0.1:8000", "[::1]", "[::1]:8000")


@pytest.fixture
def site(app):
    """`site(public_url=...)` returns a browser of an app with these settings."""
    made = []

    def make(**settings):
        other = create_app(replace(app.config["PLAIDAPP"], **settings))
        other.add_url_rule("/seen", view_func=seen)
        made.append(other)
        return other.test_client()

    yield make
    for other in made:
        with other.app_context():
            db.engine.dispose()
        other.extensions["redis"].close()


def seen():
    """What the app believes of a request."""
    link = url_for("finance.dashboard", _external=True)
    return {"scheme": request.scheme, "address": request.remote_addr, "link": link}


def status(browser, host, server=EVERYWHERE, path="/auth/login"):
    return browser.get(path, headers={"Host": host}, environ_overrides=server).status_code


def test_the_hosts_of_the_settings_are_accepted_and_no_others(site):
    browser = site(public_url=f"{PUBLIC}:8443", allowed_hosts=("my_app", "[2001:db8::1]"))

    for host in ("bank.example", "Bank.Example:443", "my_app:8000", "[2001:db8::1]:80"):
        assert status(browser, host) == 200, host
    for host in ("evil.example", "bank.example.evil.example", "a.bank.example", "bank.example.",
                 "bank.example@evil.example", "evil.example:443", "10.0.0.1", "[2001:db8::2]",
                 "bank.example, evil.example", "bank.example/x", "bank.example:x", "", ".", "..",
                 "a..b", "x" * 64, "a" * 300, "a b", "a\x7f", "é", "[", "[::1", "*"):  # fmt: skip
        assert status(browser, host) == 400, host
    for host in LOOPBACK:
        assert status(browser, host) == 400, host
        assert status(browser, host, HERE) == 200, host


def test_a_wrong_host_is_refused_on_every_path_with_a_sentence_that_does_not_repeat_it(site):
    browser = site(public_url=PUBLIC)
    for path in (
        "/",
        "/finance",
        "/finance/",
        "/static/app.css",
        "/nothing",
        "//x",
        "/webhooks/plaid",
    ):
        for method in ("GET", "POST"):
            answer = browser.open(
                path, method=method, headers={"Host": "evil.example"}, environ_overrides=EVERYWHERE
            )
            assert answer.status_code == 400, path
            assert "ALLOWED_HOSTS" in answer.text
            assert "pass the Host header on" in answer.text
            assert "evil" not in answer.text
            assert "Location" not in answer.headers
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_a_few_refused_hosts_are_logged_each_once(site, caplog):
    """A proxy that does not pass the host on gives every page a 400, and the log says why."""
    browser = site(public_url=PUBLIC)
    for path in ("/auth/login", "/finance/", "/healthz"):
        status(browser, "10.0.0.1:8000", path=path)
    assert len(caplog.messages) == 1
    assert "'10.0.0.1:8000'" in caplog.text
    assert "Host header" in caplog.text

    for number in range(policy.REFUSED_HOSTS_LOGGED * 2):
        status(browser, f"{number}\x1b[2J{'x' * 5000}")
    assert len(caplog.messages) == policy.REFUSED_HOSTS_LOGGED
    assert "\x1b" not in caplog.text
    assert max(map(len, caplog.messages)) < 500


def test_probes_may_name_any_host(site):
    browser = site(public_url=PUBLIC)
    for host in ("10.1.2.3:8000", "..", "evil.example", ""):
        assert status(browser, host, path="/healthz") == 200
        assert status(browser, host, path="/readyz") == 200
        assert status(browser, host, path="/healthz/x") == 400


def test_whoever_names_this_machine_may_use_all_of_its_names(site):
    browser = site(public_url="http://127.0.0.1:5000")
    assert [status(browser, host) for host in LOOPBACK] == [200] * len(LOOPBACK)


def test_without_a_setting_any_host_is_accepted_with_one_warning(site, caplog, app):
    browser = site()
    for host in ("evil.example", "localhost", "10.0.0.1:80", "my_app:8000", "bank.example.:80"):
        assert status(browser, host) == 200
    for host in ("..", "a..", ".a", "a b", "x" * 64):
        assert status(browser, host) == 400

    caplog.clear()
    caplog.set_level(logging.WARNING)
    hosts.warn_if_any_is_accepted(app.config["PLAIDAPP"])
    hosts.warn_if_any_is_accepted(replace(app.config["PLAIDAPP"], public_url=PUBLIC))
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "PUBLIC_URL" in caplog.text
    assert "TRUSTED_PROXIES" in caplog.text


@pytest.mark.parametrize("settings", [{}, {"public_url": PUBLIC}])
def test_redirects_stay_relative(site, settings):
    browser = site(**settings)
    for path, target in (
        ("/", "/auth/login"),
        ("/finance", "/finance/"),
        ("/finance?x=%2F%2Fy", "/finance/?x=%2F%2Fy"),
        ("/finance//items", "/finance/items"),
        ("/finance/", "/auth/login?next=/finance/"),
    ):
        answer = browser.get(path, headers={"Host": "bank.example"}, environ_overrides=EVERYWHERE)
        assert answer.headers["Location"] == target
    slashes = EVERYWHERE | {"PATH_INFO": "//finance//items"}
    answer = browser.get("/", headers={"Host": "bank.example"}, environ_overrides=slashes)
    assert answer.headers["Location"] == "/finance/items"


SPOOFED = {
    "X-Forwarded-For": "6.6.6.6",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-Port": "666",
    "Forwarded": "for=6.6.6.6;host=evil.example;proto=https",
    "X-Real-Ip": "6.6.6.6",
    "X-Forwarded-Ssl": "on",
}
FROM = {"REMOTE_ADDR": "9.9.9.9"}


def believed(browser, host, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = browser.get(
        "/seen", headers={"Host": host} | named, environ_overrides=EVERYWHERE | FROM
    )
    return answer.json


def test_without_proxies_their_headers_are_ignored(site):
    for settings, scheme in (({}, "http"), ({"public_url": PUBLIC}, "https")):
        seen_there = believed(site(**settings), "bank.example", **SPOOFED)
        assert seen_there == {
            "scheme": scheme,
            "address": "9.9.9.9",
            "link": f"{scheme}://bank.example/finance/",
        }


@pytest.mark.parametrize(
    ("proxies", "header", "address"),
    [
        (1, "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        (2, "6.6.6.6, 1.2.3.4, 10.0.0.1", "1.2.3.4"),
        (2, "1.2.3.4", "9.9.9.9"),  # not through both: nothing is believed
        (1, "1.2.3.4:55555", "1.2.3.4"),
        (1, "[2001:DB8::7]:443", "2001:db8::7"),
        (1, "2001:db8::7", "2001:db8::7"),
        (1, "::ffff:1.2.3.4", "1.2.3.4"),
        (1, f"fe80::1%{'x' * 300}", "fe80::1"),
        (1, "unknown", "9.9.9.9"),
        (1, "<script>", "9.9.9.9"),
        (1, "", "9.9.9.9"),
    ],
)
def test_the_address_is_the_one_that_the_first_trusted_proxy_saw(site, proxies, header, address):
    browser = site(trusted_proxies=proxies)
    assert believed(browser, "bank.example", X_Forwarded_For=header)["address"] == address


def test_a_trusted_proxy_names_scheme_and_host(site):
    browser = site(trusted_proxies=1, allowed_hosts=("bank.example",))
    through = {"X_Forwarded_Proto": "https", "X_Forwarded_Host": "bank.example"}

    assert believed(browser, "upstream", **through)["link"] == "https://bank.example/finance/"
    for host in ("evil.example", "127.0.0.1", "localhost:8000", ".."):
        spoofed = through | {"X_Forwarded_Host": host}
        assert believed(browser, "bank.example", **spoofed) is None, host
    odd = through | {"X_Forwarded_Proto": "javascript"}
    assert believed(browser, "upstream", **odd)["scheme"] == "http"


@pytest.mark.parametrize(
    ("proxies", "header", "peer", "address"),
    [
        (0, "1.2.3.4", "10.1.2.3", ""),
        (0, "1.2.3.4", "127.0.0.1", ""),
        (0, "1.2.3.4", "100.64.0.9", ""),
        (0, "1.2.3.4", "fd00::1", ""),
        (0, "1.2.3.4", "::ffff:10.1.2.3", ""),
        (2, "1.2.3.4", "10.1.2.3", ""),  # the number is too high
        (0, "1.2.3.4", "9.9.9.9", "9.9.9.9"),  # anybody may send the header
        (0, None, "10.1.2.3", "10.1.2.3"),
        (1, "10.1.2.4", "10.1.2.3", "10.1.2.4"),
        (1, None, "10.1.2.3", "10.1.2.3"),
    ],
)
def test_the_address_of_a_proxy_passes_for_no_visitor(site, caplog, proxies, header, peer, address):
    browser = site(trusted_proxies=proxies)
    headers = {"X-Forwarded-For": header} if header else {}
    for _ in range(3):
        answer = browser.get("/seen", headers=headers, environ_overrides={"REMOTE_ADDR": peer})
        assert answer.json["address"] == address

    does_not_fit = header is not None and address in ("", peer)
    warnings = [line for line in caplog.messages if "TRUSTED_PROXIES" in line]
    assert len(warnings) == does_not_fit, "one warning in a process"


@pytest.mark.parametrize(
    ("host", "told", "scheme"),
    [
        ("bank.example", None, "https"),
        ("bank.example", "http", "https"),  # a proxy behind the one that people reach
        ("192.168.1.5:8000", None, "http"),
        ("192.168.1.5:8000", "http", "http"),
        ("192.168.1.5:8000", "https", "https"),
    ],
)
def test_only_the_host_of_public_url_counts_as_https_without_being_told(site, host, told, scheme):
    """Otherwise nobody could log in from a home network: browsers keep no Secure cookie there."""
    browser = site(public_url=PUBLIC, allowed_hosts=("192.168.1.5",), trusted_proxies=1)
    browser.application.add_url_rule("/note", view_func=note)

    headers = {"X-Forwarded-Proto": told} if told else {}
    cookie = browser.get("/note", headers={"Host": host} | headers).headers["Set-Cookie"]

    is_https = scheme == "https"
    assert cookie.startswith("__Host-session=" if is_https else "session=")
    assert ("Secure" in cookie) == is_https


def note():
    session["noted"] = True
    return ""


def test_a_server_on_a_unix_socket_knows_no_address(site):
    browser = site()
    overrides = {"SERVER_NAME": "/run/web.sock", "SERVER_PORT": "", "REMOTE_ADDR": ""}
    answer = browser.get("/seen", headers={"Host": "bank.example"}, environ_overrides=overrides)
    assert answer.json["address"] == ""


@pytest.mark.parametrize(
    ("url", "host", "start"),
    [
        (PUBLIC, "bank.example", PUBLIC),
        (PUBLIC, "www.bank.example", "http://www.bank.example"),
        (PUBLIC, "127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://bank.example", "bank.example", "http://bank.example"),
    ],
)
def test_plaid_sends_the_browser_back_to_the_host_that_the_person_is_on(site, url, host, start):
    browser = site(public_url=url, allowed_hosts=("www.bank.example",))
    browser.application.add_url_rule("/back", view_func=lambda: link_pages.completion_url(1))

    answer = browser.get("/back", headers={"Host": host}, environ_overrides=HERE)

    assert answer.text == f"{start}/finance/connections/1"
