"""Logos come from Plaid's hosts only, by https, and never from this machine's own network."""

import socket
import threading

import pytest
import urllib3

from plaidapp import policy
from plaidapp.bank import logo_hosts
from plaidapp.bank.logo_hosts import LogoError, UnreachableError, fetch, is_allowed
from plaidapp.bank.transport import BoundedPool
from tests.ports import free_port

LOGO = "https://plaid-merchant-logos.plaid.com/walmart_1100.png"


class Rerouted:
    """Asks a server of the test instead of Plaid's host, with the limits of the real pool."""

    def __init__(self, url, deadline=5.0):
        self.url, self.pool = url, BoundedPool(deadline, largest=policy.LARGEST_LOGO)

    def request(self, method, url, **options):
        assert is_allowed(url)
        self.asked = method, url, options
        return self.pool.request("POST", self.url, body=b"{}", **options)


@pytest.mark.parametrize(
    "url",
    [
        "http://plaid-merchant-logos.plaid.com/a.png",
        "https://plaid-merchant-logos.plaid.com.example.com/a.png",
        "https://example.com/plaid-merchant-logos.plaid.com",
        "https://example.com#plaid-merchant-logos.plaid.com",
        "https://plaid-merchant-logos.plaid.com@example.com/a.png",
        "https://me:secret@plaid-merchant-logos.plaid.com/a.png",
        "https://plaid-merchant-logos.plaid.com:8443/a.png",
        "https://plaid-merchant-logos.plaid.com:x/a.png",
        "https://plaid-merchant-logos.plaid.com./a.png",
        "https://plaid-merchant-logos.plaid.com\\@example.com/a.png",
        "https://plaid-merchant-logos.plaid.com\t.example.com/a.png",
        "https://plaid-merchant-logоs.plaid.com/a.png",
        "https://plaid.com/a.png",
        "https://production.plaid.com/a.png",
        "https://127.0.0.1/a.png",
        "https://[::1]/a.png",
        "https://[/a.png",
        "//plaid-merchant-logos.plaid.com/a.png",
        "ftp://plaid-merchant-logos.plaid.com/a.png",
        "file:///etc/passwd",
        "data:image/png;base64,AAAA",
        "javascript:alert(1)",
        "/a.png",
        "",
    ],
)
def test_other_addresses_are_never_asked(url):
    assert not is_allowed(url)
    with pytest.raises(LogoError):
        fetch(url, pool=None)


def test_plaids_hosts_are_asked():
    assert is_allowed(LOGO)
    assert is_allowed("https://plaid-counterparty-logos.plaid.com/doordash_1.png")


def test_nothing_is_sent_along(canned):
    canned.says(b"picture")
    pool = Rerouted(canned.url)

    assert fetch(LOGO, pool) == b"picture"
    method, _, options = pool.asked
    assert method == "GET"
    assert set(options["headers"]) == {"Accept", "User-Agent"}


@pytest.mark.parametrize("status", [301, 302, 307, 403, 404, 410, 500, 503])
def test_any_other_answer_is_no_logo_and_no_redirect_is_followed(canned, status):
    canned.says(b"x", status, Location="http://127.0.0.1:1/")

    with pytest.raises(LogoError, match=str(status)):
        fetch(LOGO, Rerouted(canned.url))


def test_a_file_that_is_too_large_is_not_read(canned):
    canned.says(bytes(policy.LARGEST_LOGO))
    assert len(fetch(LOGO, Rerouted(canned.url))) == policy.LARGEST_LOGO

    canned.says(bytes(policy.LARGEST_LOGO + 1))
    with pytest.raises(LogoError, match="TooLarge"):
        fetch(LOGO, Rerouted(canned.url))


def test_a_host_that_is_silent_is_not_waited_for():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(LogoError):
            fetch(LOGO, Rerouted(url, deadline=0.05))


def test_a_host_that_refuses_is_unreachable():
    with pytest.raises(UnreachableError):
        fetch(LOGO, Rerouted(f"http://127.0.0.1:{free_port()}"))


def test_a_host_at_a_private_address_is_sent_nothing():
    """As if somebody had changed what the names of Plaid's hosts stand for."""
    with socket.create_server(("127.0.0.1", 0)) as private:
        received = []

        def serve():
            connection, _ = private.accept()
            received.append(connection.recv(100))
            connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        pool = logo_hosts.public_pool()
        with pytest.raises(urllib3.exceptions.NewConnectionError, match="private"):
            pool.request("GET", f"https://127.0.0.1:{private.getsockname()[1]}/a.png")
        thread.join()

    assert received == [b""]
